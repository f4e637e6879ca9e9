/* A typed tool in C: a WASI reactor whose exports have the names and shapes that the canonical ABI gives to the functions of
 * wit/textstat.wit. The WIT itself is put into the module after it is linked (`guest-tools embed`), as binding generators do. */

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string as it crosses. */
typedef struct {
    char *at;
    size_t length;
} text_t;

/* result<counts, string>: which of the two, then either. */
typedef struct {
    uint8_t is_error;
    union {
        struct {
            uint32_t lines, words, bytes;
        } counts;
        text_t error;
    };
} count_file_t;

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

/* An argument, which is ours now, as C wants it. */
static char *terminated(char *at, size_t length) {
    char *text = cabi_realloc(length == 0 ? NULL : at, length, 1, length + 1);
    text[length] = '\0';
    return text;
}

static text_t failed(const char *path, const char *why) {
    size_t room = strlen(path) + strlen(why) + 3;
    char *text = cabi_realloc(NULL, 0, 1, room);
    int written = snprintf(text, room, "%s: %s", path, why);
    return (text_t){text, written < 0 ? 0 : (size_t)written};
}

__attribute__((export_name("count-file"))) count_file_t *count_file(char *at, size_t length) {
    static count_file_t result;
    char *path = terminated(at, length);
    memset(&result, 0, sizeof result);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        result.is_error = 1;
        result.error = failed(path, strerror(errno));
        free(path);
        return &result;
    }
    int within_word = 0;
    for (int c = getc(file); c != EOF; c = getc(file)) {
        result.counts.bytes++;
        result.counts.lines += c == '\n';
        result.counts.words += !isspace(c) && !within_word;
        within_word = !isspace(c);
    }
    if (ferror(file)) {
        result.is_error = 1;
        result.error = failed(path, strerror(errno));
    }
    fclose(file);
    free(path);
    return &result;
}

/* Called when the host has read the result. */
__attribute__((export_name("cabi_post_count-file"))) void count_file_done(count_file_t *result) {
    if (result->is_error) {
        free(result->error.at);
    }
}

__attribute__((export_name("shout"))) text_t *shout(char *at, size_t length) {
    static text_t result;
    for (size_t i = 0; i < length; i++) {
        if (at[i] >= 'a' && at[i] <= 'z') {
            at[i] -= 'a' - 'A';
        }
    }
    result = (text_t){at, length};
    return &result;
}

__attribute__((export_name("cabi_post_shout"))) void shout_done(text_t *result) {
    if (result->length > 0) {
        free(result->at);
    }
}
