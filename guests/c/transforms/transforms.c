/* The transformations of ../../rust/transforms/wit/transforms.wit in C: what it reads back, changed in every way that a trace has to follow; and not at all,
 * where nothing may be found. A reactor, with what crosses written out as the canonical ABI lays it out. */

#include "transforms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE "customs:transforms/transforms@0.1.0#"

typedef struct {
    uint32_t *at;
    size_t length;
} numbers_t;

typedef struct {
    bytes_t name, bytes;
    numbers_t numbers;
} piece_t;

typedef struct {
    bytes_t text;
    struct {
        piece_t *at;
        size_t length;
    } pieces;
    uint8_t has_note;
    bytes_t note;
    uint64_t sum;
} answer_t;

/* result<answer, problem>: which of the two, then either. */
typedef struct {
    uint8_t is_problem;
    union {
        answer_t answer;
        struct {
            uint8_t is_unreadable;
            bytes_t what;
        } problem;
    };
} result_t;

_Static_assert(sizeof(result_t) == 48, "the canonical ABI has 48 bytes");

/* The host makes room for arguments with this. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old_size;
    if (size == 0) {
        return (void *)align;
    }
    void *room = realloc(old, size);
    if (room == NULL) {
        abort();
    }
    return room;
}

static bytes_t text(const char *text) {
    bytes_t out = empty();
    add_text(&out, text);
    return out;
}

/* The text itself, what a file holds, or a variable. */
static int read_source(bytes_t source, bytes_t *out) {
    *out = text("");
    if (source.length >= 4 && memcmp(source.at, "env:", 4) == 0) {
        const char *value = getenv(source.at + 4);
        if (value != NULL) {
            add_text(out, value);
        }
        return value != NULL;
    }
    if (source.length < 5 || memcmp(source.at, "file:", 5) != 0) {
        add(out, source.at, source.length);
        return 1;
    }
    FILE *file = fopen(source.at + 5, "rb");
    if (file == NULL) {
        return 0;
    }
    char buffer[4096];
    for (size_t many; (many = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        add(out, buffer, many);
    }
    int good = !ferror(file);
    fclose(file);
    return good;
}

static bytes_t written(bytes_t source, bytes_t in) {
    bytes_t path = empty();
    add(&path, source.at + 5, source.length - 5);
    add_text(&path, ".out");
    FILE *file = fopen(path.at, "wb");
    free(path.at);
    int good = file != NULL && fprintf(file, "kept: %s", in.at) > 0;
    good = file != NULL && fclose(file) == 0 && good;
    return text(good ? "written" : "not written");
}

static void with_piece(answer_t *answer, const char *name, bytes_t bytes) {
    piece_t *pieces = calloc(2, sizeof *pieces);
    uint32_t *number = malloc(sizeof *number);
    if (pieces == NULL || number == NULL) {
        abort();
    }
    *number = 7;
    pieces[0] = (piece_t){text("first"), text("\1\2\3"), {number, 1}};
    pieces[1] = (piece_t){text(name), bytes, {NULL, 0}};
    answer->pieces.at = pieces;
    answer->pieces.length = 2;
    answer->text = text("see the pieces");
}

static void with_numbers(answer_t *answer, bytes_t in) {
    piece_t *piece = calloc(1, sizeof *piece);
    uint32_t *numbers = calloc(in.length + 1, sizeof *numbers);
    if (piece == NULL || numbers == NULL) {
        abort();
    }
    for (size_t i = 0; i < in.length; i++) {
        numbers[i] = (unsigned char)in.at[i] + 1000u;
    }
    *piece = (piece_t){text("numbers"), empty(), {numbers, in.length}};
    answer->pieces.at = piece;
    answer->pieces.length = 1;
    answer->text = text("see the numbers");
}

static const struct {
    const char *name;
    bytes_t (*change)(bytes_t in);
    /* Of bytes and not of text: in a piece. */
    int in_piece;
} CHANGES[] = {
    {"reverse", reversed, 0},
    {"xor", xored, 1},
    {"caesar", caesar, 0},
    {"base64-table", base64_by_table, 0},
    {"base64-arithmetic", base64_by_arithmetic, 0},
    {"hex-table", hex_by_table, 0},
    {"hex-arithmetic", hex_by_arithmetic, 0},
    {"split", split, 0},
    {"run-length", run_length, 0},
    {"sha256", sha256, 1},
    {"json", through_json, 0},
    {"deflate", deflated, 1},
    {"unrelated", unrelated, 0},
    {"branch", by_branches, 0},
};

static void problem(result_t *result, int is_unreadable, const char *before, bytes_t what, const char *after) {
    result->is_problem = 1;
    result->problem.is_unreadable = (uint8_t)is_unreadable;
    result->problem.what = text(before);
    add(&result->problem.what, what.at, what.length);
    add_text(&result->problem.what, after);
}

static void apply(result_t *result, bytes_t transform, bytes_t source, bytes_t in) {
    answer_t *answer = &result->answer;
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        if (strcmp(transform.at, CHANGES[i].name) == 0) {
            bytes_t changed = CHANGES[i].change(in);
            if (CHANGES[i].in_piece) {
                with_piece(answer, CHANGES[i].name, changed);
            } else {
                answer->text = changed;
            }
            return;
        }
    }
    if (strcmp(transform.at, "plain") == 0) {
        add(&answer->text, in.at, in.length);
    } else if (strcmp(transform.at, "note") == 0) {
        answer->has_note = 1;
        answer->note = text("note: ");
        add(&answer->note, in.at, in.length);
        answer->text = text("see the note");
    } else if (strcmp(transform.at, "numbers") == 0) {
        with_numbers(answer, in);
    } else if (strcmp(transform.at, "error") == 0) {
        problem(result, 0, "what is ", in, "?");
    } else if (strcmp(transform.at, "print") == 0) {
        printf("[%s]\n", in.at);
        fflush(stdout);
        answer->text = text("see the output");
    } else if (strcmp(transform.at, "write") == 0 && strncmp(source.at, "file:", 5) == 0) {
        answer->text = written(source, in);
    } else if (strcmp(transform.at, "untouched") == 0) {
        answer->text = text("the answer is 42, as ever");
    } else {
        problem(result, 0, "", transform, "");
    }
}

/* An argument, which is ours now, with a zero behind it. */
static bytes_t argument(char *at, size_t length) {
    bytes_t out = empty();
    add(&out, at, length);
    if (length > 0) {
        free(at);
    }
    return out;
}

__attribute__((export_name(INTERFACE "apply"))) result_t *export_apply(char *name, size_t name_length, char *from, size_t from_length) {
    static result_t result;
    memset(&result, 0, sizeof result);
    bytes_t transform = argument(name, name_length), source = argument(from, from_length), in;
    if (read_source(source, &in)) {
        apply(&result, transform, source, in);
    } else {
        problem(&result, 1, "cannot read ", source, "");
    }
    free(in.at);
    free(source.at);
    free(transform.at);
    return &result;
}

/* Called when the host has read the result. */
__attribute__((export_name("cabi_post_" INTERFACE "apply"))) void apply_done(result_t *result) {
    if (result->is_problem) {
        free(result->problem.what.at);
        return;
    }
    for (size_t i = 0; i < result->answer.pieces.length; i++) {
        piece_t *piece = &result->answer.pieces.at[i];
        free(piece->name.at);
        free(piece->bytes.at);
        free(piece->numbers.at);
    }
    free(result->answer.pieces.at);
    free(result->answer.text.at);
    free(result->answer.note.at);
}

__attribute__((export_name(INTERFACE "sum"))) uint64_t sum(char *from, size_t length) {
    bytes_t source = argument(from, length), in;
    uint64_t total = 0;
    if (read_source(source, &in)) {
        for (size_t i = 0; i < in.length; i++) {
            total += (unsigned char)in.at[i];
        }
    }
    free(in.at);
    free(source.at);
    return total;
}
