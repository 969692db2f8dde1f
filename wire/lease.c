#include "wire/lease.h"

void lease_write(int64_t lease, char out[WIRE_LEASE_BYTES])
{
    for (int i = 0; i < WIRE_LEASE_BYTES; i++)
        out[i] = (char)((uint64_t)lease >> 8 * (WIRE_LEASE_BYTES - 1 - i));
}

int64_t lease_read(const char bytes[WIRE_LEASE_BYTES])
{
    uint64_t lease = 0;

    for (int i = 0; i < WIRE_LEASE_BYTES; i++)
        lease = lease << 8 | (unsigned char)bytes[i];
    return (int64_t)lease;
}
