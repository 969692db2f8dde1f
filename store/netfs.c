#include "store/netfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

enum { LINE_BYTES = 4096, NAME_BYTES = 64 };
static const uint32_t FUSE_TYPE = 0x65735546;

// Numbers as the kernel gives them (magic.h, and the file systems' sources).
static const struct {
    uint32_t type;
    const char *name;
} types[] = {
    {0x00006969, "NFS"},    {0x0000517B, "SMB"},    {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB"},    {0x01021997, "9p"},     {0x00C36400, "Ceph"},
    {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},   {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},    {0x19830326, "BeeGFS"}, {0x786F4256, "vboxsf"},
};

// All FUSE file systems share one number; these kinds go over a network.
static const char *const fuse_names[] = {
    "fuse.sshfs",   "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.gcsfuse", "fuse.davfs",     "fuse.ceph",   "fuse.juicefs",
    "fuse.goofys",  "fuse.curlftpfs",
};

const char *netfs_of_type(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type)
            return types[i].name;
    }
    return NULL;
}

const char *netfs_of_name(const char *name)
{
    for (size_t i = 0; i < sizeof fuse_names / sizeof fuse_names[0]; i++) {
        if (strcmp(fuse_names[i], name) == 0)
            return strchr(fuse_names[i], '.') + 1;
    }
    return NULL;
}

// Reads a line of mountinfo: "36 35 98:0 /root /mount options [fields] - TYPE
// ...". Returns true if it is the device's line; name is then its TYPE.
static bool read_mount(const char *line, unsigned want_major,
                       unsigned want_minor, char name[NAME_BYTES])
{
    unsigned found_major = 0;
    unsigned found_minor = 0;
    const char *mark = strstr(line, " - ");

    if (mark == NULL ||
        sscanf(line, "%*d %*d %u:%u", &found_major, &found_minor) != 2)
        return false;
    return found_major == want_major && found_minor == want_minor &&
           sscanf(mark, " - %63s", name) == 1;
}

static const char *fuse_of(const char *folder)
{
    char line[LINE_BYTES];
    char name[NAME_BYTES] = "";
    struct stat info = {0};
    FILE *mounts = fopen("/proc/self/mountinfo", "re");

    if (mounts == NULL)
        return NULL;
    if (stat(folder, &info) == 0) {
        while (fgets(line, sizeof line, mounts) != NULL &&
               !read_mount(line, major(info.st_dev), minor(info.st_dev), name))
            continue;
    }
    (void)fclose(mounts);
    return netfs_of_name(name);
}

const char *netfs_of(const char *folder)
{
    struct statfs info = {0};

    if (statfs(folder, &info) != 0)
        return NULL;
    if ((uint32_t)info.f_type == FUSE_TYPE)
        return fuse_of(folder);
    return netfs_of_type((uint32_t)info.f_type);
}
