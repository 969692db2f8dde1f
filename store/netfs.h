// netfs: recognizes file systems on which a store would be damaged.
//
// SQLite's WAL shares memory between the processes of one machine and relies on
// locks that work. On a network file system neither holds and the file ends up
// malformed, so we refuse such a folder before anything is written.

#ifndef STORE_NETFS_H
#define STORE_NETFS_H

#include <stdint.h>

// Returns the name of the network file system that folder is on, or NULL if it
// is on none (or that cannot be found out). The name is static.
const char *netfs_of(const char *folder);

// Like netfs_of, from the f_type of statfs(2), for the types that suffice to
// decide.
const char *netfs_of_type(uint32_t type);

// Like netfs_of, from a file system's name in /proc/self/mountinfo
// ("fuse.sshfs").
const char *netfs_of_name(const char *name);

#endif
