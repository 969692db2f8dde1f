#include "common/vector.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { NUMBER_BYTES = 4, VECTOR_MAX_BYTES = VECTOR_MAX * NUMBER_BYTES };

static bool refuse(struct err *err, const char *why)
{
    err_set(err, ERR_PROTOCOL, "an embedding %s", why);
    return false;
}

static bool check_size(size_t n, struct err *err)
{
    if (n >= 1 && n <= VECTOR_MAX)
        return true;
    err_set(err, ERR_PROTOCOL,
            "an embedding has %zu numbers, where 1 to %d are expected", n,
            VECTOR_MAX);
    return false;
}

static void put_number(uint8_t *out, float number)
{
    uint32_t bits;

    memcpy(&bits, &number, sizeof bits);
    for (size_t i = 0; i < NUMBER_BYTES; i++)
        out[i] = (uint8_t)(bits >> 8 * i);
}

static float get_number(const uint8_t *bytes)
{
    uint32_t bits = 0;
    float number;

    for (size_t i = 0; i < NUMBER_BYTES; i++)
        bits |= (uint32_t)bytes[i] << 8 * i;
    memcpy(&number, &bits, sizeof number);
    return number;
}

bool vector_write(const double *numbers, size_t n, struct buf *out,
                  struct err *err)
{
    uint8_t bytes[VECTOR_MAX_BYTES];
    char text[sodium_base64_ENCODED_LEN(VECTOR_MAX_BYTES,
                                        sodium_base64_VARIANT_ORIGINAL)];
    bool any = false;

    if (!check_size(n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(numbers[i]) || fabs(numbers[i]) > (double)FLT_MAX)
            return refuse(err, "holds a number that is not finite");
        put_number(bytes + i * NUMBER_BYTES, (float)numbers[i]);
        any = any || fabsf((float)numbers[i]) > 0;
    }
    if (!any)
        return refuse(err, "is nothing but zeros");
    (void)sodium_bin2base64(text, sizeof text, bytes, n * NUMBER_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    buf_puts(out, text);
    return buf_ok(out, "an embedding", err);
}

bool vector_read(const char *text, size_t len, float out[VECTOR_MAX], size_t *n,
                 struct err *err)
{
    uint8_t bytes[VECTOR_MAX_BYTES];
    size_t size = 0;
    bool any = false;

    // Base64 turns 3 bytes into 4 characters.
    if (len > (size_t)VECTOR_MAX_BYTES / 3 * 4 + 4 ||
        sodium_base642bin(bytes, sizeof bytes, text, len, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size % NUMBER_BYTES != 0)
        return refuse(err, "is not base64 of 32-bit floats");
    if (!check_size(size / NUMBER_BYTES, err))
        return false;
    *n = size / NUMBER_BYTES;
    for (size_t i = 0; i < *n; i++) {
        out[i] = get_number(bytes + i * NUMBER_BYTES);
        if (!isfinite(out[i]))
            return refuse(err, "holds a number that is not finite");
        any = any || fabsf(out[i]) > 0;
    }
    return any || refuse(err, "is nothing but zeros");
}
