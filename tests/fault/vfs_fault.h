// vfs_fault: a disk that fails at its n-th operation.
//
// A layer over SQLite's default file system. Each fault counts the operations
// that it can befall, of all files and threads together: what changes a disk
// (writes, syncs, truncations, making a file), or what reads it. What goes on
// in memory shared between processes is passed through.

#ifndef TESTS_FAULT_VFS_FAULT_H
#define TESTS_FAULT_VFS_FAULT_H

#include <stdbool.h>

enum vfs_fault {
    VFS_WRITE, // the operation reports an I/O error and does nothing
    VFS_FULL,  // a write stores half of its bytes, then reports a full disk
    VFS_SYNC,  // as VFS_WRITE, but only syncs count and fail
    VFS_READ,  // a read reports an I/O error
    VFS_SHORT, // a read ends after half of its bytes, as if the file did
    VFS_SIZE,  // the size of a file cannot be told
    VFS_OPEN,  // a file cannot be opened, whatever for
};
enum { VFS_FAULTS = VFS_OPEN + 1 };

// Makes the layer SQLite's default. Once a process, before any database.
void vfs_fault_install(void);

// Operation n from now on, 0 is the next, fails; all after it too if lasting.
void vfs_fault_arm(enum vfs_fault fault, int n, bool lasting);

// Every sync takes so long from now on: a disk that is busy with others.
void vfs_fault_slow(int ms);

// Ends that, and tells whether an operation has failed.
bool vfs_fault_disarm(void);

#endif
