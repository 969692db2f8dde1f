// descriptors: how many files and connections this process may have open.

#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

#include <stddef.h>

// Raises the soft limit to the hard one, as far as the system lets us. Once,
// at the start of a program.
void descriptors_raise(void);

// The limit that holds.
size_t descriptors_limit(void);

#endif
