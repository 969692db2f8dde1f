// shape: checks whether a frame is worth unpacking.
//
// msgpack-c allocates an array or a map as soon as it has read the count, so
// five bytes from a stranger can ask for 64 GB. This code walks over the heads
// only and allocates nothing. It accepts a value that is complete, has few
// items and is not nested deeply; the unpacker then allocates at most
// SHAPE_MAX_ITEMS objects for it. A frame may hold several values in a row;
// each one is measured separately.

#ifndef WIRE_SHAPE_H
#define WIRE_SHAPE_H

#include <stddef.h>

#include "common/err.h"

enum { SHAPE_MAX_ITEMS = 1 << 16 }; // values in a message, keys included
enum { SHAPE_MAX_DEPTH = 8 };       // nested maps and arrays

// Returns how many bytes the first value takes, or 0 with ERR_PROTOCOL if it is
// not worth unpacking; err->text says why.
size_t shape_measure(const void *data, size_t len, struct err *err);

#endif
