// nameless: a new file that has no name until it is whole (O_TMPFILE).
//
// Whoever is killed while it writes leaves nothing behind. Not every file
// system can do that (NFS and 9p cannot), and giving the name needs /proc:
// callers have another way.

#ifndef COMMON_NAMELESS_H
#define COMMON_NAMELESS_H

#include <stdbool.h>
#include <sys/types.h>

// Opens a new file in a folder for writing. Returns -1 if that is not possible;
// errno says why.
int nameless_open(const char *folder, mode_t mode);

// Gives the open file a name, in the same file system, which must be free.
// Returns false on failure; errno says why.
bool nameless_name(int fd, const char *path);

#endif
