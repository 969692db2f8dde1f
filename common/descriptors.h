// descriptors: how many files and connections this process may have open, its
// three standard ones, and which of them its children inherit.

#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// Raises the soft limit to the hard limit, as far as the system allows. Call it
// once, at the start of a program.
void descriptors_raise(void);

// Fills standard input, output and error if whoever started us closed them
// (`2>&-`, some supervisors). Otherwise the next file, pipe or socket that is
// opened would get the free number, and the log would be written into it.
// Reading from or writing to a filled-in descriptor still fails with EBADF.
// Call this before anything else is opened and before any thread is started.
void descriptors_fill_standard(void);

// Returns the limit in force.
size_t descriptors_limit(void);

// Returns true if the limit in force is at least this. Ask early: a library
// that cannot have a descriptor may end the process, and the last file to be
// opened is the one with the result.
bool descriptors_suffice(size_t least, struct err *err);

// Marks all descriptors but the first three as closed on exec. Those that we
// open are marked anyway, but libraries open connections that are not (curl
// does), and a server started by a worker would hold them for days. Call it
// before every start of a program: in the child between fork and exec, where it
// is safe, or just before posix_spawn.
void descriptors_close_on_exec(void);

#endif
