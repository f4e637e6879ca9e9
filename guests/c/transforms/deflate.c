/* Compression: RFC 1951 with the fixed codes, in one block. Matches are looked for one by one, which is slow and short. */

#include "transforms.h"

enum { SHORTEST = 3, LONGEST = 258, FARTHEST = 32768 };

typedef struct {
    bytes_t out;
    uint32_t held;
    int count;
} bits_t;

static void bits(bits_t *to, uint32_t value, int many) {
    to->held |= value << to->count;
    for (to->count += many; to->count >= 8; to->count -= 8, to->held >>= 8) {
        add_byte(&to->out, (int)(to->held & 255));
    }
}

/* A code of Huffman, whose highest bit comes first. */
static void code(bits_t *to, uint32_t value, int many) {
    while (many-- > 0) {
        bits(to, value >> many & 1, 1);
    }
}

static void letter(bits_t *to, uint32_t value) {
    if (value < 144) {
        code(to, 48 + value, 8);
    } else if (value < 256) {
        code(to, 256 + value, 9);
    } else if (value < 280) {
        code(to, value - 256, 7);
    } else {
        code(to, value - 88, 8);
    }
}

/* Lengths and distances come in classes, `each` of them with so many further bits; gives the class. */
static uint32_t classed(uint32_t value, uint32_t each, uint32_t *more, int *many) {
    *many = 0;
    while (value >> *many >= 2 * each) {
        ++*many;
    }
    *more = value & ((1u << *many) - 1);
    return each * (uint32_t)*many + (value >> *many);
}

static size_t longest(bytes_t in, size_t at, size_t *back) {
    size_t best = 0;
    for (size_t candidate = 1; candidate <= at && candidate <= FARTHEST; candidate++) {
        size_t length = 0;
        while (length < LONGEST && at + length < in.length && in.at[at + length] == in.at[at + length - candidate]) {
            length++;
        }
        if (length > best) {
            best = length;
            *back = candidate;
        }
    }
    return best;
}

bytes_t deflated(bytes_t in) {
    bits_t to = {empty(), 0, 0};
    bits(&to, 1, 1);
    bits(&to, 1, 2);
    for (size_t at = 0, back = 0; at < in.length;) {
        size_t length = longest(in, at, &back);
        if (length < SHORTEST) {
            letter(&to, (unsigned char)in.at[at++]);
            continue;
        }
        uint32_t more;
        int many;
        uint32_t found = classed((uint32_t)length - SHORTEST, 4, &more, &many);
        if (length == LONGEST) {
            letter(&to, 285);
        } else {
            letter(&to, 257 + found);
            bits(&to, more, many);
        }
        code(&to, classed((uint32_t)back - 1, 2, &more, &many), 5);
        bits(&to, more, many);
        at += length;
    }
    letter(&to, 256);
    if (to.count > 0) {
        add_byte(&to.out, (int)(to.held & 255));
    }
    return to.out;
}
