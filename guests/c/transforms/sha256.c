/* SHA-256 by its definition (FIPS 180-4). */

#include "transforms.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t word, int by) {
    return word >> by | word << (32 - by);
}

static void block(uint32_t state[8], const unsigned char *bytes) {
    uint32_t words[64], now[8];
    for (int i = 0; i < 16; i++, bytes += 4) {
        words[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t before = words[i - 15], last = words[i - 2];
        words[i] = words[i - 16] + (turned(before, 7) ^ turned(before, 18) ^ before >> 3) + words[i - 7] +
                   (turned(last, 17) ^ turned(last, 19) ^ last >> 10);
    }
    memcpy(now, state, sizeof now);
    for (int i = 0; i < 64; i++) {
        uint32_t a = now[0], e = now[4];
        uint32_t first = now[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & now[5]) ^ (~e & now[6])) + ROUND[i] + words[i];
        uint32_t second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & now[1]) ^ (a & now[2]) ^ (now[1] & now[2]));
        memmove(now + 1, now, 7 * sizeof *now);
        now[4] += first;
        now[0] = first + second;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += now[i];
    }
}

bytes_t sha256(bytes_t in) {
    uint32_t state[8];
    bytes_t padded = empty(), out = empty();
    add(&padded, in.at, in.length);
    add_byte(&padded, 0x80);
    while (padded.length % 64 != 56) {
        add_byte(&padded, 0);
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        add_byte(&padded, (int)((uint64_t)in.length * 8 >> shift & 255));
    }
    memcpy(state, START, sizeof state);
    for (size_t i = 0; i < padded.length; i += 64) {
        block(state, (unsigned char *)padded.at + i);
    }
    for (int i = 0; i < 32; i++) {
        add_byte(&out, (int)(state[i / 4] >> (24 - i % 4 * 8) & 255));
    }
    free(padded.at);
    return out;
}
