// F_OFD_SETLK comes from Linux. POSIX 2024 has it too, but glibc only shows it
// with _GNU_SOURCE.
#define _GNU_SOURCE

#include "exec/exec_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

enum { PATH_BYTES = 4096, FEW_FDS = 16, YOUNG_S = 60 };

#define PREFIX "promptcc-job-"

struct exec_folder {
    char path[PATH_BYTES];
    char files[PATH_BYTES];
    int owner; // descriptor of the locked file
};

static bool try_lock(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &all) == 0;
}

static int open_owner(const char *path)
{
    char owner[PATH_BYTES];

    if (snprintf(owner, sizeof owner, "%s/owner", path) >= PATH_BYTES)
        return -1;
    return open(owner, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

// Makes the owner file. It gets its name only once it is locked, so nobody ever
// sees it unlocked while we are alive.
static int make_owner(const char *path)
{
    char made[PATH_BYTES];
    char owner[PATH_BYTES];
    int fd;

    if (snprintf(made, sizeof made, "%s/owner.new", path) >= PATH_BYTES ||
        snprintf(owner, sizeof owner, "%s/owner", path) >= PATH_BYTES)
        return -1;
    fd = open(made, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 && try_lock(fd) && rename(made, owner) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *at)
{
    (void)info;
    (void)at;
    (void)(kind == FTW_DP ? rmdir(path) : unlink(path));
    return 0;
}

// Removes a tree from the inside out, without following links. Keeps errno,
// which says why the tree had to go.
static void remove_tree(const char *path)
{
    int why = errno;

    (void)nftw(path, remove_one, FEW_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    errno = why;
}

struct exec_folder *exec_folder_make(struct err *err)
{
    struct exec_folder *folder = calloc(1, sizeof *folder);

    if (folder == NULL) {
        err_nomem(err, "a folder for the job's programs");
        return NULL;
    }
    folder->owner = -1;
    (void)snprintf(folder->path, sizeof folder->path,
                   "%.3000s/" PREFIX "XXXXXX", file_temp_folder());
    if (mkdtemp(folder->path) != NULL) {
        (void)snprintf(folder->files, sizeof folder->files, "%.4000s/files",
                       folder->path);
        folder->owner = make_owner(folder->path);
        if (folder->owner >= 0 && mkdir(folder->files, 0700) == 0)
            return folder;
        remove_tree(folder->path);
    }
    err_set(err, ERR_IO,
            "cannot make a folder for the job's programs in %s: %s; name "
            "another place with TMPDIR",
            FILE_SHOWN(file_temp_folder(), 100), strerror(errno));
    if (folder->owner >= 0)
        (void)close(folder->owner);
    free(folder);
    return NULL;
}

const char *exec_folder_files(const struct exec_folder *folder)
{
    return folder->files;
}

void exec_folder_remove(struct exec_folder *folder)
{
    if (folder == NULL)
        return;
    remove_tree(folder->path);
    (void)close(folder->owner);
    free(folder);
}

// Returns true for a folder that is ours and belongs to a dead process. One
// without an owner may just be being made, so it must have a certain age.
static bool is_left(const char *path)
{
    struct stat info;
    int owner;
    bool left;

    if (lstat(path, &info) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != geteuid())
        return false;
    owner = open_owner(path);
    left = owner >= 0 ? try_lock(owner) : errno == ENOENT;
    if (owner >= 0)
        (void)close(owner);
    return left && time(NULL) - info.st_mtime > (owner >= 0 ? -1 : YOUNG_S);
}

size_t exec_folder_sweep(void)
{
    DIR *dir = opendir(file_temp_folder());
    const struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[PATH_BYTES];

        if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0 ||
            snprintf(path, sizeof path, "%s/%s", file_temp_folder(),
                     entry->d_name) >= PATH_BYTES ||
            !is_left(path))
            continue;
        remove_tree(path);
        n++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}
