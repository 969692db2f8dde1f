#include "fault/vfs_fault.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include <criterion/criterion.h>
#include <sqlite3.h>

// What SQLite knows of an open file; the real one follows it in memory.
struct layer_file {
    sqlite3_file base;
};

static sqlite3_vfs layer;
static sqlite3_vfs *real;
static atomic_bool armed;
static atomic_int left; // operations until the one that fails
static atomic_int failures;
static atomic_int slow_ms; // of each sync
static enum vfs_fault fault;
static bool lasting;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)((struct layer_file *)file + 1);
}

// Counts an operation; true when it has to fail.
static bool must_fail(bool is_sync)
{
    if (!atomic_load(&armed) || (fault == VFS_SYNC && !is_sync))
        return false;
    int before = atomic_fetch_sub(&left, 1);
    if (before > 0 || (before < 0 && !lasting))
        return false;
    atomic_fetch_add(&failures, 1);
    return true;
}

static int layer_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int layer_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), data, len, at);
}

static int layer_write(sqlite3_file *file, const void *data, int len,
                       sqlite3_int64 at)
{
    sqlite3_file *below = real_of(file);

    if (!must_fail(false))
        return below->pMethods->xWrite(below, data, len, at);
    if (fault != VFS_FULL)
        return SQLITE_IOERR_WRITE;
    (void)below->pMethods->xWrite(below, data, len / 2, at);
    return SQLITE_FULL;
}

static int layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (must_fail(false))
        return SQLITE_IOERR_TRUNCATE;
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int layer_sync(sqlite3_file *file, int flags)
{
    (void)poll(NULL, 0, atomic_load(&slow_ms));
    if (must_fail(true))
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int layer_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int layer_lock(sqlite3_file *file, int kind)
{
    return real_of(file)->pMethods->xLock(real_of(file), kind);
}

static int layer_unlock(sqlite3_file *file, int kind)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), kind);
}

static int layer_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int layer_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int layer_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

// None: a disk that may tear a write, and forgets what was not synced in any
// order.
static int layer_device(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static int layer_shm_map(sqlite3_file *file, int page, int size, int extend,
                         void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend,
                                            out);
}

static int layer_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), at, n, flags);
}

static void layer_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int layer_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, // no memory maps: all writing is seen
    .xClose = layer_close,
    .xRead = layer_read,
    .xWrite = layer_write,
    .xTruncate = layer_truncate,
    .xSync = layer_sync,
    .xFileSize = layer_size,
    .xLock = layer_lock,
    .xUnlock = layer_unlock,
    .xCheckReservedLock = layer_check_lock,
    .xFileControl = layer_control,
    .xSectorSize = layer_sector,
    .xDeviceCharacteristics = layer_device,
    .xShmMap = layer_shm_map,
    .xShmLock = layer_shm_lock,
    .xShmBarrier = layer_shm_barrier,
    .xShmUnmap = layer_shm_unmap,
};

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                      int flags, int *out_flags)
{
    (void)vfs;
    file->pMethods = NULL;
    if ((flags & SQLITE_OPEN_CREATE) != 0 && must_fail(false))
        return SQLITE_CANTOPEN;
    int rc = real->xOpen(real, name, real_of(file), flags, out_flags);
    if (rc == SQLITE_OK)
        file->pMethods = &methods;
    return rc;
}

void vfs_fault_install(void)
{
    real = sqlite3_vfs_find(NULL);
    cr_assert_not_null(real);
    layer = *real;
    layer.zName = "fault";
    layer.szOsFile = (int)sizeof(struct layer_file) + real->szOsFile;
    layer.xOpen = layer_open;
    cr_assert_eq(sqlite3_vfs_register(&layer, 1), SQLITE_OK);
}

void vfs_fault_arm(enum vfs_fault kind, int n, bool and_after)
{
    fault = kind;
    lasting = and_after;
    atomic_store(&left, n);
    atomic_store(&failures, 0);
    atomic_store(&armed, true);
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
