// vfs_layer: a layer over SQLite's default file system that passes everything
// on.
//
// To make a disk that fails, forgets or is slow, copy the methods, replace some
// by your own, and let these call the file below:
//
//     methods = vfs_layer_methods;
//     methods.xWrite = failing_write;
//
// The layer gives out no memory maps, so it sees every write. It promises
// nothing about writes: like a disk that may tear a write, and forgets what was
// not synced in any order. Memory that processes share is passed through.

#ifndef TESTS_VFS_VFS_LAYER_H
#define TESTS_VFS_VFS_LAYER_H

#include <sqlite3.h>

// What SQLite knows about an open file; the real file follows it in memory.
struct vfs_layer_file {
    sqlite3_file base;
    void *user; // belongs to the layer's owner; NULL at first
};

extern const sqlite3_io_methods vfs_layer_methods;

sqlite3_file *vfs_layer_below(sqlite3_file *file);

// Opens the file below, and sets the methods that are called for it. Returns an
// SQLite code.
int vfs_layer_open(const char *name, sqlite3_file *file, int flags,
                   int *out_flags, const sqlite3_io_methods *methods);

// Fills in the layer and makes it SQLite's default. Set the name and your own
// functions first; those that are NULL are taken from the default. Call once
// per process, before any database is opened. Returns SQLITE_OK or SQLite's
// error.
int vfs_layer_install(sqlite3_vfs *layer);

#endif
