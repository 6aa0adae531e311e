#include "digest.h"

#include <math.h>
#include <string.h>

/* Both standards define their constants as bits of sines and roots, and a double has enough of them to spare. */
static uint32_t md5_sines[64], sha256_cube_roots[64], sha256_square_roots[8];

static uint32_t fraction_bits(double number) {
    return (uint32_t)((number - floor(number)) * 4294967296.0);
}

static int is_prime(int number) {
    for (int divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return 0;
    return 1;
}

void digest_initialize(void) {
    for (int i = 0; i < 64; i++)
        md5_sines[i] = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
    int found = 0;
    for (int number = 2; found < 64; number++) {
        if (!is_prime(number))
            continue;
        if (found < 8)
            sha256_square_roots[found] = fraction_bits(sqrt(number));
        sha256_cube_roots[found++] = fraction_bits(cbrt(number));
    }
}

static uint32_t rotate_left(uint32_t word, int bits) {
    return word << bits | word >> (32 - bits);
}

static uint32_t rotate_right(uint32_t word, int bits) {
    return word >> bits | word << (32 - bits);
}

static void write_hex(const unsigned char *bytes, size_t size, char *hex) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 15];
    }
    *hex = 0;
}

static void md5_block(uint32_t state[4], const unsigned char *block) {
    static const int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3];
    memcpy(words, block, 64); /* MD5 is little-endian, as every machine this runs on */
    for (int i = 0; i < 64; i++) {
        uint32_t mix;
        int word;
        switch (i / 16) {
        case 0: mix = (b & c) | (~b & d), word = i; break;
        case 1: mix = (d & b) | (~d & c), word = (5 * i + 1) % 16; break;
        case 2: mix = b ^ c ^ d, word = (3 * i + 5) % 16; break;
        default: mix = c ^ (b | ~d), word = 7 * i % 16;
        }
        uint32_t turned = rotate_left(a + mix + md5_sines[i] + words[word], shifts[i / 16][i % 4]);
        a = d, d = c, c = b, b += turned;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

void md5_hex(const void *data, size_t size, char hex[MD5_HEX]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const unsigned char *bytes = data;
    size_t whole = size / 64 * 64, rest = size - whole;
    for (size_t at = 0; at < whole; at += 64)
        md5_block(state, bytes + at);
    unsigned char last[128] = {0};
    memcpy(last, bytes + whole, rest);
    last[rest] = 0x80;
    size_t last_size = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)size * 8;
    memcpy(last + last_size - 8, &bits, 8);
    for (size_t at = 0; at < last_size; at += 64)
        md5_block(state, last + at);
    write_hex((unsigned char *)state, sizeof state, hex);
}

static void sha256_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++, block += 4)
        w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
    for (int i = 16; i < 64; i++) {
        uint32_t low = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t high = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t high = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25);
        uint32_t first = s[7] + high + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha256_cube_roots[i] + w[i];
        uint32_t low = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22);
        uint32_t second = low + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void sha256_start(struct sha256 *hash) {
    memcpy(hash->state, sha256_square_roots, sizeof hash->state);
    hash->size = 0;
}

static void sha256_update(struct sha256 *hash, const void *data, size_t size) {
    const unsigned char *bytes = data;
    while (size > 0) {
        size_t used = hash->size % 64, part = size < 64 - used ? size : 64 - used;
        memcpy(hash->block + used, bytes, part);
        bytes += part, size -= part, hash->size += part;
        if (hash->size % 64 == 0)
            sha256_block(hash->state, hash->block);
    }
}

static void sha256_finish(struct sha256 *hash, unsigned char digest[32]) {
    static const unsigned char padding[64] = {0x80};
    uint64_t bits = hash->size * 8;
    size_t used = hash->size % 64;
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_update(hash, padding, used < 56 ? 56 - used : 120 - used);
    sha256_update(hash, length, sizeof length);
    for (int i = 0; i < 32; i++)
        digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void hmac_prepare(struct hmac_key *key, const char *secret) {
    unsigned char padded[64] = {0}, inner[64], outer[64];
    size_t size = strlen(secret);
    struct sha256 hash;
    sha256_start(&hash);
    if (size > 64) {
        sha256_update(&hash, secret, size);
        sha256_finish(&hash, padded);
    } else {
        memcpy(padded, secret, size);
    }
    for (int i = 0; i < 64; i++)
        inner[i] = padded[i] ^ 0x36, outer[i] = padded[i] ^ 0x5c;
    sha256_start(&key->inner);
    sha256_update(&key->inner, inner, 64);
    sha256_start(&key->outer);
    sha256_update(&key->outer, outer, 64);
}

void hmac_hex(const struct hmac_key *key, const void *data, size_t size, char hex[SHA256_HEX]) {
    unsigned char digest[32];
    struct sha256 hash = key->inner;
    sha256_update(&hash, data, size);
    sha256_finish(&hash, digest);
    hash = key->outer;
    sha256_update(&hash, digest, sizeof digest);
    sha256_finish(&hash, digest);
    write_hex(digest, sizeof digest, hex);
}
