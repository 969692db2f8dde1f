#include "fault/vfs_fault.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "vfs/vfs_layer.h"

static sqlite3_io_methods methods;
static atomic_bool armed;
static int chosen;      // the operation that fails
static atomic_int left; // operations until that one
static atomic_int failures;
static atomic_int slow_ms; // duration of each sync
static enum vfs_fault fault;
static bool lasting;

// The kinds of operations on a file, each a bit.
enum { OP_CHANGE = 1, OP_SYNC = 2, OP_READ = 4, OP_SIZE = 8, OP_OPEN = 16 };

// The operations that count for each fault.
static const unsigned counted[VFS_FAULTS] = {
    [VFS_WRITE] = OP_CHANGE | OP_SYNC,
    [VFS_FULL] = OP_CHANGE | OP_SYNC,
    [VFS_SYNC] = OP_SYNC,
    [VFS_READ] = OP_READ,
    [VFS_SHORT] = OP_READ,
    [VFS_SIZE] = OP_SIZE,
    [VFS_OPEN] = OP_OPEN,
};

// Counts an operation; returns true when it has to fail.
static bool must_fail(unsigned operation)
{
    if (!atomic_load(&armed) || (counted[fault] & operation) == 0)
        return false;
    int before = atomic_fetch_sub(&left, 1);
    if (before > 0 || (before < 0 && !lasting))
        return false;
    atomic_fetch_add(&failures, 1);
    return true;
}

static int layer_write(sqlite3_file *file, const void *data, int len,
                       sqlite3_int64 at)
{
    sqlite3_file *below = vfs_layer_below(file);

    if (!must_fail(OP_CHANGE))
        return below->pMethods->xWrite(below, data, len, at);
    if (fault != VFS_FULL)
        return SQLITE_IOERR_WRITE;
    (void)below->pMethods->xWrite(below, data, len / 2, at);
    return SQLITE_FULL;
}

static int layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (must_fail(OP_CHANGE))
        return SQLITE_IOERR_TRUNCATE;
    return vfs_layer_below(file)->pMethods->xTruncate(vfs_layer_below(file),
                                                      size);
}

static int layer_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    sqlite3_file *below = vfs_layer_below(file);

    if (!must_fail(OP_READ))
        return below->pMethods->xRead(below, data, len, at);
    if (fault != VFS_SHORT)
        return SQLITE_IOERR_READ;
    memset(data, 0, (size_t)len);
    return below->pMethods->xRead(below, data, len / 2, at) == SQLITE_OK
               ? SQLITE_IOERR_SHORT_READ
               : SQLITE_IOERR_READ;
}

static int layer_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *below = vfs_layer_below(file);

    return must_fail(OP_SIZE) ? SQLITE_IOERR_FSTAT
                              : below->pMethods->xFileSize(below, size);
}

static int layer_sync(sqlite3_file *file, int flags)
{
    (void)poll(NULL, 0, atomic_load(&slow_ms));
    if (must_fail(OP_SYNC))
        return SQLITE_IOERR_FSYNC;
    return vfs_layer_below(file)->pMethods->xSync(vfs_layer_below(file), flags);
}

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                      int flags, int *out_flags)
{
    (void)vfs;
    file->pMethods = NULL;
    if (must_fail((flags & SQLITE_OPEN_CREATE) != 0 ? OP_CHANGE | OP_OPEN
                                                    : OP_OPEN))
        return SQLITE_CANTOPEN;
    return vfs_layer_open(name, file, flags, out_flags, &methods);
}

void vfs_fault_install(void)
{
    static sqlite3_vfs layer = {.zName = "fault", .xOpen = layer_open};

    methods = vfs_layer_methods;
    methods.xWrite = layer_write;
    methods.xTruncate = layer_truncate;
    methods.xSync = layer_sync;
    methods.xRead = layer_read;
    methods.xFileSize = layer_size;
    cr_assert_eq(vfs_layer_install(&layer), SQLITE_OK);
}

void vfs_fault_arm(enum vfs_fault kind, int n, bool and_after)
{
    fault = kind;
    lasting = and_after;
    chosen = n;
    atomic_store(&left, n);
    atomic_store(&failures, 0);
    atomic_store(&armed, true);
}

int vfs_fault_count(void)
{
    return chosen - atomic_load(&left);
}

void vfs_fault_slow(int ms)
{
    atomic_store(&slow_ms, ms);
}

bool vfs_fault_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&failures) > 0;
}
