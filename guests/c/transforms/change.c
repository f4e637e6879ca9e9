/* The changes themselves. */

#include "transforms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SYMBOLS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char DIGITS[] = "0123456789abcdef";

bytes_t empty(void) {
    return (bytes_t){NULL, 0};
}

void add(bytes_t *out, const void *bytes, size_t length) {
    out->at = realloc(out->at, out->length + length + 1);
    if (out->at == NULL) {
        abort();
    }
    memcpy(out->at + out->length, bytes, length);
    out->length += length;
    out->at[out->length] = '\0';
}

void add_byte(bytes_t *out, int byte) {
    char one = (char)byte;
    add(out, &one, 1);
}

void add_text(bytes_t *out, const char *text) {
    add(out, text, strlen(text));
}

bytes_t reversed(bytes_t in) {
    bytes_t out = empty();
    for (size_t i = in.length; i > 0; i--) {
        add_byte(&out, in.at[i - 1]);
    }
    return out;
}

bytes_t xored(bytes_t in) {
    bytes_t out = empty();
    for (size_t i = 0; i < in.length; i++) {
        add_byte(&out, in.at[i] ^ "key-"[i % 4]);
    }
    return out;
}

bytes_t caesar(bytes_t in) {
    bytes_t out = empty();
    for (size_t i = 0; i < in.length; i++) {
        add_byte(&out, ' ' + ((unsigned char)in.at[i] - ' ' + 13) % 95);
    }
    return out;
}

static int symbol_by_table(int value) {
    return SYMBOLS[value & 63];
}

/* All bits, where the value is at least `start`, and none where it is not. */
static int above(int start, int value) {
    return (start - 1 - value) >> 31;
}

/* Without a table and without a branch: each range's difference where the value is above its start. */
static int symbol_by_arithmetic(int value) {
    return value + 65 + (above(26, value) & 6) - (above(52, value) & 75) - (above(62, value) & 15) + (above(63, value) & 3);
}

static int digit_by_table(int value) {
    return DIGITS[value & 15];
}

static int digit_by_arithmetic(int value) {
    return value + 48 + (above(10, value) & 39);
}

/* Which of them is asked for where it is used, so that the compiler makes no table of the one and no arithmetic of the other. */
typedef int (*volatile symbol_t)(int);

static bytes_t base64(bytes_t in, symbol_t symbol) {
    bytes_t out = empty();
    for (size_t i = 0; i < in.length; i += 3) {
        unsigned char chunk[3] = {0, 0, 0};
        size_t many = in.length - i < 3 ? in.length - i : 3;
        memcpy(chunk, in.at + i, many);
        int parts[4] = {chunk[0] >> 2, chunk[0] << 4 | chunk[1] >> 4, chunk[1] << 2 | chunk[2] >> 6, chunk[2]};
        for (size_t at = 0; at < 4; at++) {
            add_byte(&out, at <= many ? symbol(parts[at] & 63) : '=');
        }
    }
    return out;
}

bytes_t base64_by_table(bytes_t in) {
    return base64(in, symbol_by_table);
}

bytes_t base64_by_arithmetic(bytes_t in) {
    return base64(in, symbol_by_arithmetic);
}

static bytes_t hex(bytes_t in, symbol_t digit) {
    bytes_t out = empty();
    for (size_t i = 0; i < in.length; i++) {
        add_byte(&out, digit((unsigned char)in.at[i] >> 4));
        add_byte(&out, digit(in.at[i] & 15));
    }
    return out;
}

bytes_t hex_by_table(bytes_t in) {
    return hex(in, digit_by_table);
}

bytes_t hex_by_arithmetic(bytes_t in) {
    return hex(in, digit_by_arithmetic);
}

bytes_t split(bytes_t in) {
    bytes_t out = empty();
    size_t half = in.length / 2;
    add_text(&out, "HEAD:");
    add(&out, in.at + half, in.length - half);
    add_text(&out, "--");
    add(&out, in.at, half);
    return out;
}

bytes_t run_length(bytes_t in) {
    bytes_t out = empty();
    for (size_t i = 0, many; i < in.length; i += many) {
        for (many = 1; i + many < in.length && in.at[i + many] == in.at[i]; many++) {
        }
        char count[24];
        snprintf(count, sizeof count, "%zu", many);
        add_text(&out, count);
        add_byte(&out, in.at[i]);
    }
    return out;
}

static volatile size_t used;

/* Uses the input, and gives a text that does not come from it. */
bytes_t unrelated(bytes_t in) {
    bytes_t json = through_json(in), encoded = base64_by_table(json), digest = sha256(in), out = empty();
    used = encoded.length + (unsigned char)digest.at[0];
    free(digest.at);
    free(encoded.at);
    free(json.at);
    int id = 42;
    char number[24];
    snprintf(number, sizeof number, "%d", id);
    add_text(&out, "{\"id\":");
    add_text(&out, number);
    add_text(&out, ",\"token\":true,\"list\":[\"a\",\"b\"]}");
    return out;
}

/* Copies by branches alone, which is not followed. */
bytes_t by_branches(bytes_t in) {
    bytes_t out = empty();
    for (size_t i = 0; i < in.length; i++) {
        volatile char byte = in.at[i];
        for (char candidate = ' '; candidate <= '~'; candidate++) {
            if (byte == candidate) {
                volatile char kept = candidate;
                add_byte(&out, kept);
            }
        }
    }
    return out;
}
