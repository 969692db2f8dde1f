// vfs_layer: a layer over SQLite's default file system that passes all on.
//
// Who wants a disk that fails, forgets or is slow copies the methods, puts its
// own in their place, and asks for the file below:
//
//     methods = vfs_layer_methods;
//     methods.xWrite = failing_write;
//
// It hands out no memory maps, so that all writing is seen, and promises
// nothing of writes: a disk that may tear one, and forgets what was not synced
// in any order. What goes on in memory shared between processes is passed on.

#ifndef TESTS_VFS_VFS_LAYER_H
#define TESTS_VFS_VFS_LAYER_H

#include <sqlite3.h>

// What SQLite knows of an open file; the real one follows it in memory.
struct vfs_layer_file {
    sqlite3_file base;
    void *user; // of the layer's owner; NULL when it was opened
};

extern const sqlite3_io_methods vfs_layer_methods;

sqlite3_file *vfs_layer_below(sqlite3_file *file);

// Opens the file below, and has methods called for it. SQLite's own code.
int vfs_layer_open(const char *name, sqlite3_file *file, int flags,
                   int *out_flags, const sqlite3_io_methods *methods);

// Fills layer and makes it SQLite's default: set name and own functions first,
// those that are NULL are the default's. Once a process, before any database.
// An error of SQLite's, or SQLITE_OK.
int vfs_layer_install(sqlite3_vfs *layer);

#endif
