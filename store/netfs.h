// netfs: file systems on which a store would be damaged.
//
// SQLite's WAL shares memory between the processes of one machine and counts
// on locks that work. Over a network neither holds, and the file ends up
// malformed, so such a folder is refused before anything is written.

#ifndef STORE_NETFS_H
#define STORE_NETFS_H

#include <stdint.h>

// The name of the network file system that folder is on, NULL when it is on
// none (or cannot be asked). Static.
const char *netfs_of(const char *folder);

// The same for the f_type of statfs(2), where that says enough.
const char *netfs_of_type(uint32_t type);

// The same for a file system's name as in /proc/self/mountinfo ("fuse.sshfs").
const char *netfs_of_name(const char *name);

#endif
