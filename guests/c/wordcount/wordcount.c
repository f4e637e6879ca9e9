/* Counts lines, words and bytes of the files named as arguments, or of standard input: a command in C.
 *
 * Prints one line for each file, and one of JSON at the end with the totals. Ends with 1 when a file could not be read. */

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct counts {
    uint64_t lines, words, bytes;
};

static bool count(FILE *file, struct counts *counts) {
    static unsigned char buffer[16384];
    bool in_word = false;
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) {
        counts->bytes += length;
        for (size_t at = 0; at < length; at++) {
            bool space = isspace(buffer[at]);
            counts->words += !space && !in_word;
            counts->lines += buffer[at] == '\n';
            in_word = !space;
        }
    }
    return !ferror(file);
}

static bool report(const char *name, FILE *file, struct counts *total) {
    struct counts counts = {0};
    if (!file || !count(file, &counts)) {
        fprintf(stderr, "wordcount: %s: %s\n", name, strerror(errno));
        return false;
    }
    printf("%llu %llu %llu %s\n", counts.lines, counts.words, counts.bytes, name);
    total->lines += counts.lines;
    total->words += counts.words;
    total->bytes += counts.bytes;
    return true;
}

int main(int argc, char **argv) {
    struct counts total = {0};
    bool ok = true;
    if (argc < 2)
        ok = report("-", stdin, &total);
    for (int at = 1; at < argc; at++) {
        FILE *file = fopen(argv[at], "rb");
        ok &= report(argv[at], file, &total);
        if (file)
            fclose(file);
    }
    printf("{\"lines\":%llu,\"words\":%llu,\"bytes\":%llu}\n", total.lines, total.words, total.bytes);
    return ok ? 0 : 1;
}
