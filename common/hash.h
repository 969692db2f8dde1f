// hash: 128-bit content hashes (BLAKE2b, from libsodium).
//
// Every field is added with its length in front, so ("ab","c") and ("a","bc")
// differ. The layout of what is hashed is part of `replay_version`
// (program/job/job.h): if you change one, change the other.

#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

enum { HASH_BYTES = 16, HASH_HEX = 33 };

struct hash {
    uint8_t bytes[HASH_BYTES];
};

// Short fields are collected first: calling libsodium costs more than hashing 8
// bytes.
enum { HASHER_GATHERED = 1024 };

struct hasher {
    crypto_generichash_state state;
    size_t n; // bytes collected
    uint8_t gathered[HASHER_GATHERED];
};

// `domain` separates uses ("call", "candidate", ...).
void hasher_init(struct hasher *hasher, const char *domain);
void hasher_add(struct hasher *hasher, const void *data, size_t len);
void hasher_add_text(struct hasher *hasher, const char *text); // NULL counts as
                                                               // ""
void hasher_add_int(struct hasher *hasher, int64_t value);
// Adds bytes without their length, for a text that arrives in parts: the hash
// is the same however it is split. Add the length of the whole afterwards.
void hasher_add_part(struct hasher *hasher, const void *data, size_t len);
void hasher_add_hash(struct hasher *hasher, const struct hash *hash);
struct hash hasher_end(struct hasher *hasher);

struct hash hash_of(const char *domain, const void *data, size_t len);
void hash_hex(const struct hash *hash, char hex[HASH_HEX]); // lower case

// Inline because every model call is looked up some ten times.
static inline bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_BYTES) == 0;
}

#endif
