/* What the parts of this guest give to each other. */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to whoever has them; a string is one with a zero behind it that is not counted. */
typedef struct {
    char *at;
    size_t length;
} bytes_t;

bytes_t empty(void);
void add(bytes_t *out, const void *bytes, size_t length);
void add_byte(bytes_t *out, int byte);
void add_text(bytes_t *out, const char *text);

/* change.c; all of them take bytes and give new ones. */
bytes_t reversed(bytes_t in);
bytes_t xored(bytes_t in);
bytes_t caesar(bytes_t in);
bytes_t base64_by_table(bytes_t in);
bytes_t base64_by_arithmetic(bytes_t in);
bytes_t hex_by_table(bytes_t in);
bytes_t hex_by_arithmetic(bytes_t in);
bytes_t split(bytes_t in);
bytes_t run_length(bytes_t in);
bytes_t unrelated(bytes_t in);
bytes_t by_branches(bytes_t in);

/* json.c, sha256.c, deflate.c */
bytes_t through_json(bytes_t in);
bytes_t sha256(bytes_t in);
bytes_t deflated(bytes_t in);
