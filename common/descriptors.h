// descriptors: how many files and connections this process may have open, the
// first three of them, and who else gets them.

#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

#include <stddef.h>

// Raises the soft limit to the hard one, as far as the system lets us. Once,
// at the start of a program.
void descriptors_raise(void);

// Occupies standard input, output and error where whoever started us closed
// them (`2>&-`, some supervisors): otherwise the next file, pipe or socket that
// is opened takes the free number, and the log is written into it. Reading or
// writing what was filled in fails with EBADF, as before. Before anything else
// is opened, or a thread is started.
void descriptors_fill_standard(void);

// The limit that holds.
size_t descriptors_limit(void);

// Has all but the first three closed on exec. What we open is anyway; but
// libraries open connections that are not (curl does), and a server that a
// worker starts would hold them for days. Before every start of a program: in
// the child between fork and exec, where it is safe, or ahead of posix_spawn.
void descriptors_close_on_exec(void);

#endif
