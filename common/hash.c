#include "common/hash.h"

#include <string.h>

#include "common/crypto.h"

void hasher_init(struct hasher *hasher, const char *domain)
{
    crypto_ready();
    (void)crypto_generichash_init(&hasher->state, NULL, 0, HASH_BYTES);
    hasher->n = 0;
    hasher_add_text(hasher, domain);
}

static void hash_gathered(struct hasher *hasher)
{
    (void)crypto_generichash_update(&hasher->state, hasher->gathered,
                                    hasher->n);
    hasher->n = 0;
}

// A field is 8 bytes of length, then the bytes.
void hasher_add(struct hasher *hasher, const void *data, size_t len)
{
    enum { LENGTH = 8 };

    if (LENGTH + len > sizeof hasher->gathered - hasher->n)
        hash_gathered(hasher);
    crypto_put_u64(hasher->gathered + hasher->n, len);
    hasher->n += LENGTH;
    hasher_add_part(hasher, data, len);
}

void hasher_add_part(struct hasher *hasher, const void *data, size_t len)
{
    if (len > sizeof hasher->gathered - hasher->n) {
        hash_gathered(hasher);
        (void)crypto_generichash_update(&hasher->state, data, len);
    } else if (len > 0) {
        memcpy(hasher->gathered + hasher->n, data, len);
        hasher->n += len;
    }
}

void hasher_add_text(struct hasher *hasher, const char *text)
{
    hasher_add(hasher, text, text == NULL ? 0 : strlen(text));
}

void hasher_add_int(struct hasher *hasher, int64_t value)
{
    uint8_t bytes[8];

    crypto_put_u64(bytes, (uint64_t)value);
    hasher_add(hasher, bytes, sizeof bytes);
}

void hasher_add_hash(struct hasher *hasher, const struct hash *hash)
{
    hasher_add(hasher, hash->bytes, sizeof hash->bytes);
}

struct hash hasher_end(struct hasher *hasher)
{
    struct hash hash;

    hash_gathered(hasher);
    (void)crypto_generichash_final(&hasher->state, hash.bytes, HASH_BYTES);
    return hash;
}

struct hash hash_of(const char *domain, const void *data, size_t len)
{
    struct hasher hasher;

    hasher_init(&hasher, domain);
    hasher_add(&hasher, data, len);
    return hasher_end(&hasher);
}

void hash_hex(const struct hash *hash, char hex[HASH_HEX])
{
    (void)sodium_bin2hex(hex, HASH_HEX, hash->bytes, HASH_BYTES);
}
