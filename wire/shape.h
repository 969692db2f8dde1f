// shape: whether a frame is worth unpacking.
//
// msgpack-c allocates room for an array or a map as soon as it has read its
// count, so five bytes from a stranger can ask for 64 GB. The walk here reads
// the heads only, allocates nothing, and lets a frame pass that is exactly one
// whole value of few items and little depth: what the unpacker then allocates
// is at most SHAPE_MAX_ITEMS objects.

#ifndef WIRE_SHAPE_H
#define WIRE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { SHAPE_MAX_ITEMS = 1 << 16 }; // values in a frame, keys included
enum { SHAPE_MAX_DEPTH = 8 };       // maps and arrays inside each other

// Fails with ERR_PROTOCOL, err->text says what is wrong.
bool shape_check(const void *data, size_t len, struct err *err);

#endif
