// large_arrays: where arrays of many MiB get their memory.
//
// The rows of a large job and the indexes over its calls are such arrays, and
// they grow. Left to itself, glibc learns to take them from its heaps, where
// every growth is a copy and every freed array leaves a hole that nothing
// fills. When they are mapped instead, they grow in place and return to the
// system when they are freed.

#ifndef COMMON_LARGE_ARRAYS_H
#define COMMON_LARGE_ARRAYS_H

// Applies to the whole process from now on; call it before the first large
// array.
void large_arrays_map(void);

#endif
