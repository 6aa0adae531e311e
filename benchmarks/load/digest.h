/* MD5 and HMAC-SHA256, the two digests of Pusher's signatures. Sources: RFC 1321, RFC 2104, FIPS 180-4. */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { MD5_HEX = 33, SHA256_HEX = 65 }; /* with the terminating zero */

struct sha256 {
    uint32_t state[8];
    uint64_t size;
    unsigned char block[64];
};

/* A secret, prepared: signing starts from the two states that the padded key leaves behind. */
struct hmac_key {
    struct sha256 inner, outer;
};

/* Call once, before anything else here: fills the tables of constants. */
void digest_initialize(void);

void md5_hex(const void *data, size_t size, char hex[MD5_HEX]);
void hmac_prepare(struct hmac_key *key, const char *secret);
void hmac_hex(const struct hmac_key *key, const void *data, size_t size, char hex[SHA256_HEX]);

#endif
