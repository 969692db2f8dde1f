// vfs_fault: a disk that fails at its n-th operation.
//
// A layer over SQLite's default file system. Each fault counts the operations
// that it can hit, of all files and threads together: those that change a disk
// (writes, syncs, truncations, creating a file), or those that read it. Memory
// that processes share is passed through.

#ifndef TESTS_FAULT_VFS_FAULT_H
#define TESTS_FAULT_VFS_FAULT_H

#include <stdbool.h>

enum vfs_fault {
    VFS_WRITE, // the operation reports an I/O error and does nothing
    VFS_FULL,  // a write stores half of its bytes, then reports a full disk
    VFS_SYNC,  // as VFS_WRITE, but only syncs count and fail
    VFS_READ,  // a read reports an I/O error
    VFS_SHORT, // a read ends after half of its bytes, as if the file ended
    VFS_SIZE,  // the size of a file cannot be read
    VFS_OPEN,  // no file can be opened
};
enum { VFS_FAULTS = VFS_OPEN + 1 };

// Makes the layer SQLite's default. Once a process, before any database.
void vfs_fault_install(void);

// Lets operation n from now on (0 is the next) fail, and all later ones too if
// `lasting`.
void vfs_fault_arm(enum vfs_fault fault, int n, bool lasting);

// Returns how many operations that the fault can hit there were since it was
// armed.
int vfs_fault_count(void);

// Makes every sync take ms from now on, as on a disk that is busy with others.
void vfs_fault_slow(int ms);

// Ends the fault, and returns true if an operation has failed.
bool vfs_fault_disarm(void);

#endif
