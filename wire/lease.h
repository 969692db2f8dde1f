// lease: the number of a CALL, in the form of the bytes in a HEARTBEAT.

#ifndef WIRE_LEASE_H
#define WIRE_LEASE_H

#include <stdint.h>

#include "wire/message.h"

// The high byte comes first.
void lease_write(int64_t lease, char out[WIRE_LEASE_BYTES]);
int64_t lease_read(const char bytes[WIRE_LEASE_BYTES]);

#endif
