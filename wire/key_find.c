#include "wire/key_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"

enum { NAMES_BYTES = 4096, PATH_BYTES = 4096 };

// What `promptcc keys` takes to make a key of the role.
static const char *const key_operands[] = {
    [KEY_COORDINATOR] = "coordinator",
    [KEY_WORKER] = "worker NAME",
    [KEY_CLIENT] = "client NAME",
};

// Returns true if the key can be used in that role.
static bool is_usable(const struct key *key, enum key_role role,
                      struct err *err)
{
    if (key->role == role && key->secret[0] != '\0' &&
        (role == KEY_COORDINATOR || key->coordinator[0] != '\0'))
        return true;
    if (key->role == role)
        err_set(err, ERR_INPUT,
                "the key %s lacks its secret or its coordinator: make it again "
                "with `promptcc keys %s`",
                key->name, key_operands[role]);
    else
        err_set(err, ERR_INPUT,
                "%s is the key of a %s, but the key of a %s is needed here: "
                "make one with `promptcc keys %s`",
                key->name, key_role_name(key->role), key_role_name(role),
                key_operands[role]);
    return false;
}

// The keys of one role in a folder.
struct found {
    enum key_role role;
    struct key *key;  // where the last one is put; borrowed
    struct buf names; // of their files
    size_t n;
};

static bool add_found(struct found *found, const char *folder, const char *name,
                      struct err *err)
{
    char path[PATH_BYTES];
    struct key key;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!key_read(path, &key, err))
        return false;
    if (key.role == found->role) {
        buf_printf(&found->names, "%s%s", found->n > 0 ? ", " : "", name);
        *found->key = key;
        found->n++;
    }
    key_wipe(&key);
    return true;
}

// Reads each key in the folder, whatever its role.
static bool read_entries(DIR *dir, const char *folder, struct found *found,
                         struct err *err)
{
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL)
        if (key_is_file(entry->d_name, ".key") &&
            !add_found(found, folder, entry->d_name, err))
            return false;
    return true;
}

static void refuse_empty(const char *folder, enum key_role role,
                         struct err *err)
{
    char place[KEY_PLACE_BYTES];

    key_place(folder, place);
    if (role == KEY_COORDINATOR)
        err_set(err, ERR_INPUT,
                "%s has no key of a coordinator: make one with `promptcc "
                "keys coordinator%s`",
                FILE_SHOWN(folder, 80), place);
    else
        err_set(err, ERR_INPUT,
                "%s has no key of a %s: make one with `promptcc keys %s` "
                "on the coordinator's machine, and copy it here",
                FILE_SHOWN(folder, 110), key_role_name(role),
                key_operands[role]);
}

static void refuse_several(const char *folder, const struct found *found,
                           struct err *err)
{
    err_set(err, ERR_INPUT,
            "%s has several keys of a %s (%.60s): name the file, as in --keys "
            "%s/NAME.key",
            FILE_SHOWN(folder, 45), key_role_name(found->role),
            found->names.data == NULL ? "" : found->names.data,
            FILE_SHOWN(folder, 45));
}

static bool find_in(DIR *dir, const char *folder, enum key_role role,
                    struct key *out, struct err *err)
{
    struct found found = {
        .role = role, .key = out, .names = BUF_INIT(NAMES_BYTES)};
    bool read = read_entries(dir, folder, &found, err);

    if (read && found.n == 0)
        refuse_empty(folder, role, err);
    else if (read && found.n > 1)
        refuse_several(folder, &found, err);
    buf_release(&found.names);
    return read && found.n == 1 && is_usable(out, role, err);
}

static void refuse_folder(const char *path, enum key_role role, struct err *err)
{
    int cause = errno;
    char place[KEY_PLACE_BYTES];

    key_place(path, place);
    if (role == KEY_COORDINATOR)
        err_set(err, ERR_INPUT,
                "cannot look for keys in %s: %s; `promptcc keys worker "
                "NAME%s` makes them",
                FILE_SHOWN(path, 60), strerror(cause), place);
    else
        err_set(err, ERR_INPUT,
                "cannot look for keys in %s: %s; `promptcc keys %s` on the "
                "coordinator's machine makes one",
                FILE_SHOWN(path, 80), strerror(cause), key_operands[role]);
}

bool key_find(const char *path, enum key_role role, struct key *out,
              struct err *err)
{
    DIR *dir = opendir(path);
    bool ok;

    *out = KEY_EMPTY;
    if (dir == NULL && errno == ENOTDIR)
        ok = key_read(path, out, err) && is_usable(out, role, err);
    else if (dir == NULL) {
        refuse_folder(path, role, err);
        return false;
    } else {
        ok = find_in(dir, path, role, out, err);
        (void)closedir(dir);
    }
    if (!ok)
        key_wipe(out);
    return ok;
}
