#include "simulation/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "simulation/machine.h"

enum { MAX_FILES = 64, SECTOR = 512 };

// What a write that is not synced yet took the place of.
struct before {
    struct before *next; // an older one
    sqlite3_int64 at;
    sqlite3_int64 size; // of the file before
    int len;
    char data[];
};

// One file, whatever number of connections have it open.
struct inode {
    char path[256]; // "": free
    int open;
    struct before *unsynced; // newest first
};

struct layer_file {
    sqlite3_file base;
    struct inode *inode; // of the store and its log; NULL for others
};

static sqlite3_vfs layer;
static sqlite3_vfs *real;
static struct inode inodes[MAX_FILES];
static struct disk_faults faults;
static int64_t operations;
static int crash_in = -1;
static void (*crash)(void);

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)((struct layer_file *)file + 1);
}

// The real files by path, for copies.
static sqlite3_file *open_files[MAX_FILES];

static struct inode *inode_of(sqlite3_file *file)
{
    return ((struct layer_file *)file)->inode;
}

static void forget(struct inode *inode)
{
    while (inode->unsynced != NULL) {
        struct before *next = inode->unsynced->next;

        free(inode->unsynced);
        inode->unsynced = next;
    }
}

static struct inode *find_inode(const char *path)
{
    for (int i = 0; i < MAX_FILES; i++)
        if (strcmp(inodes[i].path, path) == 0 && inodes[i].open > 0)
            return &inodes[i];
    return NULL;
}

static struct inode *get_inode(const char *path)
{
    struct inode *inode = find_inode(path);

    for (int i = 0; inode == NULL && i < MAX_FILES; i++)
        if (inodes[i].open == 0)
            inode = &inodes[i];
    if (inode == NULL)
        abort();
    if (inode->open++ == 0) {
        forget(inode);
        (void)snprintf(inode->path, sizeof inode->path, "%s", path);
    }
    return inode;
}

// --- faults ---

static bool must_fail(void)
{
    operations++;
    if (crash_in >= 0 && crash_in-- == 0)
        crash();
    return faults.fails > 0 && machine_chance(faults.fails);
}

static void remember(sqlite3_file *file, int len, sqlite3_int64 at)
{
    struct inode *inode = inode_of(file);
    sqlite3_file *below = real_of(file);
    struct before *before;

    if (inode == NULL)
        return;
    before = calloc(1, sizeof *before + (size_t)len);
    if (before == NULL)
        abort();
    before->at = at;
    before->len = len;
    (void)below->pMethods->xFileSize(below, &before->size);
    (void)below->pMethods->xRead(below, before->data, len, at);
    before->next = inode->unsynced;
    inode->unsynced = before;
}

// --- the layer ---

static int layer_close(sqlite3_file *file)
{
    struct inode *inode = inode_of(file);

    for (int i = 0; i < MAX_FILES; i++)
        if (open_files[i] == file)
            open_files[i] = NULL;
    if (inode != NULL && --inode->open == 0)
        forget(inode);
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

    if (must_fail())
        return SQLITE_IOERR_WRITE;
    remember(file, len, at);
    if (!faults.full)
        return below->pMethods->xWrite(below, data, len, at);
    (void)below->pMethods->xWrite(below, data, len / 2, at);
    return SQLITE_FULL;
}

static int layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *below = real_of(file);
    sqlite3_int64 was = 0;

    if (must_fail())
        return SQLITE_IOERR_TRUNCATE;
    (void)below->pMethods->xFileSize(below, &was);
    if (was > size)
        remember(file, (int)(was - size), size);
    return below->pMethods->xTruncate(below, size);
}

static int layer_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (faults.sync_us > 0)
        machine_sleep((int64_t)machine_below((uint64_t)faults.sync_us));
    if (must_fail())
        return SQLITE_IOERR_FSYNC;
    if (inode_of(file) != NULL)
        forget(inode_of(file));
    return SQLITE_OK;
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
    struct layer_file *own = (struct layer_file *)file;
    int rc;

    (void)vfs;
    file->pMethods = NULL;
    own->inode = NULL;
    rc = real->xOpen(real, name, real_of(file), flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    file->pMethods = &methods;
    if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
        return rc;
    own->inode = get_inode(name);
    for (int i = 0; i < MAX_FILES; i++)
        if (open_files[i] == NULL) {
            open_files[i] = file;
            break;
        }
    return rc;
}

static int layer_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    machine_sleep(us);
    return us;
}

static int layer_random(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    for (int i = 0; i < len; i++)
        out[i] = (char)machine_random();
    return len;
}

void disk_install(void)
{
    real = sqlite3_vfs_find(NULL);
    if (real == NULL)
        abort();
    layer = *real;
    layer.zName = "simulation";
    layer.szOsFile = (int)sizeof(struct layer_file) + real->szOsFile;
    layer.xOpen = layer_open;
    layer.xSleep = layer_sleep;
    layer.xRandomness = layer_random;
    if (sqlite3_vfs_register(&layer, 1) != SQLITE_OK)
        abort();
}

void disk_start(void)
{
    faults = (struct disk_faults){0};
    crash_in = -1;
    operations = 0;
}

void disk_set_faults(const struct disk_faults *set)
{
    faults = *set;
}

void disk_crash_at(int n, void (*call)(void))
{
    crash_in = n;
    crash = call;
}

int64_t disk_operations(void)
{
    return operations;
}

// --- copies ---

static sqlite3_file *open_file(const struct inode *inode)
{
    for (int i = 0; i < MAX_FILES; i++)
        if (open_files[i] != NULL && inode_of(open_files[i]) == inode)
            return open_files[i];
    return NULL;
}

// Some of the sectors of a write never reached the disk.
static void undo(char *bytes, sqlite3_int64 *size, const struct before *before)
{
    bool whole = machine_chance(0.5);

    for (int at = 0; at < before->len; at += SECTOR) {
        int len = before->len - at < SECTOR ? before->len - at : SECTOR;

        if (!whole && machine_chance(0.5))
            continue;
        memcpy(bytes + before->at + at, before->data + at, (size_t)len);
    }
    if (whole && before->size < *size)
        *size = before->size;
}

static sqlite3_int64 most_bytes(const struct inode *inode, sqlite3_int64 size)
{
    for (const struct before *at = inode->unsynced; at != NULL; at = at->next)
        if (at->at + at->len > size)
            size = at->at + at->len;
    return size;
}

bool disk_copy(const char *path, const char *copy, bool power_gone)
{
    struct inode *inode = find_inode(path);
    sqlite3_file *file = inode == NULL ? NULL : open_file(inode);
    sqlite3_int64 size = 0;
    char *bytes;
    FILE *out;

    if (file == NULL)
        return false;
    file = real_of(file);
    (void)file->pMethods->xFileSize(file, &size);
    bytes = calloc(1, (size_t)most_bytes(inode, size) + 1);
    if (bytes == NULL)
        abort();
    for (sqlite3_int64 at = 0; at < size; at += 1 << 20)
        (void)file->pMethods->xRead(
            file, bytes + at, size - at < 1 << 20 ? (int)(size - at) : 1 << 20,
            at);
    for (const struct before *at = inode->unsynced; power_gone && at != NULL;
         at = at->next)
        if (machine_chance(0.7))
            undo(bytes, &size, at);
    out = fopen(copy, "wb");
    if (out == NULL || fwrite(bytes, 1, (size_t)size, out) != (size_t)size)
        abort();
    (void)fclose(out);
    free(bytes);
    return true;
}
