// shape: whether a frame is worth unpacking.
//
// msgpack-c allocates room for an array or a map as soon as it has read its
// count, so five bytes from a stranger can ask for 64 GB. The walk here reads
// the heads only, allocates nothing, and lets a frame pass that is exactly one
// whole value of few items and little depth: what the unpacker then allocates
// is at most SHAPE_MAX_ITEMS objects. Several values may follow each other in
// a frame; each is measured by itself.

#ifndef WIRE_SHAPE_H
#define WIRE_SHAPE_H

#include <stddef.h>

#include "common/err.h"

enum { SHAPE_MAX_ITEMS = 1 << 16 }; // values in a message, keys included
enum { SHAPE_MAX_DEPTH = 8 };       // maps and arrays inside each other

// How many bytes the first value takes. 0 with ERR_PROTOCOL: it is none that is
// worth unpacking; err->text says why.
size_t shape_measure(const void *data, size_t len, struct err *err);

#endif
