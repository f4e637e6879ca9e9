/* A text as JSON, read into a tree and written again. */

#include "transforms.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value: a string, a number, a list, or an object with a name in front of each value. */
typedef struct value {
    char kind;
    bytes_t text;
    double number;
    struct value *first, *next;
} value_t;

static void write_text(bytes_t *out, bytes_t text) {
    add_byte(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < ' ') {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            add_text(out, escaped);
        } else {
            if (byte == '"' || byte == '\\') {
                add_byte(out, '\\');
            }
            add_byte(out, byte);
        }
    }
    add_byte(out, '"');
}

static void write_value(bytes_t *out, const value_t *value) {
    if (value->kind == '"') {
        write_text(out, value->text);
    } else if (value->kind == '0') {
        char number[32];
        snprintf(number, sizeof number, "%g", value->number);
        add_text(out, number);
    } else {
        add_byte(out, value->kind == '{' ? '{' : '[');
        size_t at = 0;
        for (const value_t *part = value->first; part != NULL; part = part->next, at++) {
            if (at > 0) {
                add_byte(out, value->kind == '{' && at % 2 == 1 ? ':' : ',');
            }
            write_value(out, part);
        }
        add_byte(out, value->kind == '{' ? '}' : ']');
    }
}

static bytes_t read_text(const char **at) {
    bytes_t text = empty();
    add(&text, "", 0);
    for ((*at)++; **at != '"' && **at != '\0'; (*at)++) {
        unsigned code;
        if (**at != '\\') {
            add_byte(&text, **at);
        } else if (sscanf(*at, "\\u%4x", &code) == 1) {
            add_byte(&text, (int)code);
            *at += 5;
        } else {
            add_byte(&text, *++*at);
        }
    }
    *at += **at == '"';
    return text;
}

static value_t *read_value(const char **at) {
    value_t *value = calloc(1, sizeof *value);
    if (value == NULL) {
        abort();
    }
    if (**at == '"') {
        value->kind = '"';
        value->text = read_text(at);
    } else if (**at == '{' || **at == '[') {
        value->kind = **at;
        (*at)++;
        for (value_t **part = &value->first; **at != '}' && **at != ']' && **at != '\0'; part = &(*part)->next) {
            *part = read_value(at);
            *at += **at == ':' || **at == ',';
        }
        *at += **at != '\0';
    } else {
        char *end;
        value->kind = '0';
        value->number = strtod(*at, &end);
        *at = end;
    }
    return value;
}

static void forget(value_t *value) {
    while (value != NULL) {
        value_t *next = value->next;
        forget(value->first);
        free(value->text.at);
        free(value);
        value = next;
    }
}

bytes_t through_json(bytes_t in) {
    bytes_t text = empty(), out = empty();
    add_text(&text, "{\"k\":");
    write_text(&text, in);
    add_text(&text, ",\"n\":[1,2]}");
    const char *at = text.at;
    value_t *value = read_value(&at);
    write_value(&out, value);
    forget(value);
    free(text.at);
    return out;
}
