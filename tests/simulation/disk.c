#include "simulation/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "simulation/machine.h"
#include "vfs/vfs_layer.h"

enum { MAX_FILES = 64, SECTOR = 512 };

// What a write replaced, kept until the write is synced.
struct before {
    struct before *next; // the next older one
    sqlite3_int64 at;
    sqlite3_int64 size; // of the file before the write
    int len;
    char data[];
};

// One file, however many connections have it open.
struct inode {
    char path[256]; // "": free
    int open;
    struct before *unsynced; // newest first
};

static sqlite3_io_methods methods;
static struct inode inodes[MAX_FILES];
static struct disk_faults faults;
static int64_t operations;
static int crash_in = -1;
static void (*crash)(void);

// The real files by path; needed for copies.
static sqlite3_file *open_files[MAX_FILES];

static struct inode *inode_of(sqlite3_file *file)
{
    return ((struct vfs_layer_file *)file)->user;
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
    sqlite3_file *below = vfs_layer_below(file);
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
    return vfs_layer_below(file)->pMethods->xClose(vfs_layer_below(file));
}

static int layer_write(sqlite3_file *file, const void *data, int len,
                       sqlite3_int64 at)
{
    sqlite3_file *below = vfs_layer_below(file);

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
    sqlite3_file *below = vfs_layer_below(file);
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

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                      int flags, int *out_flags)
{
    int rc = vfs_layer_open(name, file, flags, out_flags, &methods);

    (void)vfs;
    if (rc != SQLITE_OK)
        return rc;
    if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
        return rc;
    ((struct vfs_layer_file *)file)->user = get_inode(name);
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
    static sqlite3_vfs layer = {.zName = "simulation",
                                .xOpen = layer_open,
                                .xSleep = layer_sleep,
                                .xRandomness = layer_random};

    methods = vfs_layer_methods;
    methods.xClose = layer_close;
    methods.xWrite = layer_write;
    methods.xTruncate = layer_truncate;
    methods.xSync = layer_sync;
    if (vfs_layer_install(&layer) != SQLITE_OK)
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

// Undoes some of the sectors of a write, which never reached the disk.
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
    file = vfs_layer_below(file);
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
