// large_arrays: where memory for arrays of many MiB comes from.
//
// The rows of a large job and the indexes over its calls are such arrays, and
// grow. Left to itself, glibc learns to take them from its heaps, where every
// growth is a copy, and what is freed leaves a hole that nobody fills. Mapped,
// they grow in place, and go back to the system when they are freed.

#ifndef COMMON_LARGE_ARRAYS_H
#define COMMON_LARGE_ARRAYS_H

// For the whole process, from now on; best before its first large array.
void large_arrays_map(void);

#endif
