#include "vfs/vfs_layer.h"

#include <stddef.h>

static sqlite3_vfs *real;

sqlite3_file *vfs_layer_below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct vfs_layer_file *)file + 1);
}

#define BELOW(file) vfs_layer_below(file)->pMethods

static int pass_close(sqlite3_file *file)
{
    return BELOW(file)->xClose(vfs_layer_below(file));
}

static int pass_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    return BELOW(file)->xRead(vfs_layer_below(file), data, len, at);
}

static int pass_write(sqlite3_file *file, const void *data, int len,
                      sqlite3_int64 at)
{
    return BELOW(file)->xWrite(vfs_layer_below(file), data, len, at);
}

static int pass_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return BELOW(file)->xTruncate(vfs_layer_below(file), size);
}

static int pass_sync(sqlite3_file *file, int flags)
{
    return BELOW(file)->xSync(vfs_layer_below(file), flags);
}

static int pass_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return BELOW(file)->xFileSize(vfs_layer_below(file), size);
}

static int pass_lock(sqlite3_file *file, int kind)
{
    return BELOW(file)->xLock(vfs_layer_below(file), kind);
}

static int pass_unlock(sqlite3_file *file, int kind)
{
    return BELOW(file)->xUnlock(vfs_layer_below(file), kind);
}

static int pass_check_lock(sqlite3_file *file, int *held)
{
    return BELOW(file)->xCheckReservedLock(vfs_layer_below(file), held);
}

static int pass_control(sqlite3_file *file, int op, void *arg)
{
    return BELOW(file)->xFileControl(vfs_layer_below(file), op, arg);
}

static int pass_sector(sqlite3_file *file)
{
    return BELOW(file)->xSectorSize(vfs_layer_below(file));
}

static int no_promises(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static int pass_shm_map(sqlite3_file *file, int page, int size, int extend,
                        void volatile **out)
{
    return BELOW(file)->xShmMap(vfs_layer_below(file), page, size, extend, out);
}

static int pass_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return BELOW(file)->xShmLock(vfs_layer_below(file), at, n, flags);
}

static void pass_shm_barrier(sqlite3_file *file)
{
    BELOW(file)->xShmBarrier(vfs_layer_below(file));
}

static int pass_shm_unmap(sqlite3_file *file, int remove)
{
    return BELOW(file)->xShmUnmap(vfs_layer_below(file), remove);
}

const sqlite3_io_methods vfs_layer_methods = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = pass_write,
    .xTruncate = pass_truncate,
    .xSync = pass_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector,
    .xDeviceCharacteristics = no_promises,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

int vfs_layer_open(const char *name, sqlite3_file *file, int flags,
                   int *out_flags, const sqlite3_io_methods *methods)
{
    int rc;

    file->pMethods = NULL;
    ((struct vfs_layer_file *)file)->user = NULL;
    rc = real->xOpen(real, name, vfs_layer_below(file), flags, out_flags);
    if (rc == SQLITE_OK)
        file->pMethods = methods;
    return rc;
}

int vfs_layer_install(sqlite3_vfs *layer)
{
    sqlite3_vfs own = *layer;

    real = sqlite3_vfs_find(NULL);
    if (real == NULL)
        return SQLITE_ERROR;
    *layer = *real;
    layer->zName = own.zName;
    layer->szOsFile = (int)sizeof(struct vfs_layer_file) + real->szOsFile;
    if (own.xOpen != NULL)
        layer->xOpen = own.xOpen;
    if (own.xSleep != NULL)
        layer->xSleep = own.xSleep;
    if (own.xRandomness != NULL)
        layer->xRandomness = own.xRandomness;
    return sqlite3_vfs_register(layer, 1);
}
