#include "cli/key_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"

// The files of a key; owned.
struct places {
    char *allowed;     // the folder
    char *secret;      // keys/NAME.key
    char *public_file; // keys/allowed/NAME.pub
};

static char *join_name(const char *folder, const char *name, const char *ending)
{
    char file[KEY_NAME_BYTES + 8];

    (void)text_print(file, sizeof file, "%s%s", name, ending);
    return file_join(folder, file);
}

static bool find_places(const char *folder, const char *name,
                        struct places *out, struct err *err)
{
    out->allowed = file_join(folder, "allowed");
    out->secret = join_name(folder, name, ".key");
    if (out->allowed != NULL)
        out->public_file = join_name(out->allowed, name, ".pub");
    if (out->secret != NULL && out->public_file != NULL)
        return true;
    err_nomem(err, "the names of keys");
    return false;
}

static void release_places(struct places *places)
{
    free(places->allowed);
    free(places->secret);
    free(places->public_file);
}

static bool make_folder(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return true;
    err_set(err, ERR_IO, "cannot make the folder %s: %s", FILE_SHOWN(path, 150),
            strerror(errno));
    return false;
}

// --- making keys ---

// Reads the coordinator's own key, or makes it if it is missing.
static bool read_or_make_own_key(const char *folder, struct key *out,
                                 bool *made, struct err *err)
{
    char *path = file_join(folder, "coordinator.key");
    bool ok = path != NULL;

    *made = false;
    if (!ok) {
        err_nomem(err, "a key");
    } else if (access(path, F_OK) == 0) {
        ok = key_read(path, out, err);
    } else {
        ok = key_make(KEY_COORDINATOR, "coordinator", "", out, err) &&
             key_write_secret(path, out, err);
        *made = ok;
    }
    free(path);
    return ok;
}

// The public key first: whoever finds the secret one may rely on both.
static bool write_pair(const struct places *at, const struct key *key,
                       struct err *err)
{
    if (!key_write_public(at->public_file, key, err))
        return false;
    if (key_write_secret(at->secret, key, err))
        return true;
    (void)file_remove(at->public_file);
    return false;
}

static bool make_peer(enum key_role role, const char *name,
                      const struct places *at, const struct key *own,
                      struct err *err)
{
    struct key key;
    bool ok = make_folder(at->allowed, 0755, err) &&
              key_make(role, name, own->public_key, &key, err) &&
              write_pair(at, &key, err);

    key_wipe(&key);
    return ok;
}

// Call before anything is made: a new key of the coordinator would end all
// others.
static bool check_free(const char *name, const char *folder,
                       const struct places *at, struct err *err)
{
    char place[KEY_PLACE_BYTES];

    if (access(at->public_file, F_OK) != 0)
        return true;
    key_place(folder, place);
    err_set(err, ERR_INPUT,
            "%.60s already exists: choose another name, or `promptcc keys "
            "revoke %s%s` first",
            at->public_file, name, place);
    return false;
}

bool key_folder_make(const char *folder, enum key_role role, const char *name,
                     bool *made, struct err *err)
{
    struct places at = {0};
    struct key own = KEY_EMPTY;
    bool ok;

    *made = false;
    if (role != KEY_COORDINATOR && strcmp(name, "coordinator") == 0) {
        err_set(err, ERR_INPUT,
                "`coordinator` is the name of the coordinator's own key: "
                "choose another name");
        return false;
    }
    ok = key_name_check(name, err) && find_places(folder, name, &at, err) &&
         (role == KEY_COORDINATOR || check_free(name, folder, &at, err)) &&
         make_folder(folder, 0700, err) &&
         read_or_make_own_key(folder, &own, made, err) &&
         (role == KEY_COORDINATOR || make_peer(role, name, &at, &own, err));
    release_places(&at);
    key_wipe(&own);
    return ok;
}

// --- revoking ---

bool key_folder_revoke(const char *folder, const char *name, struct err *err)
{
    struct places at = {0};
    bool ok = key_name_check(name, err) && find_places(folder, name, &at, err);

    if (ok && !file_remove(at.public_file)) {
        err_set(err, ERR_INPUT, "there is no such key to revoke: %s: %s",
                FILE_SHOWN(at.public_file, 150), strerror(errno));
        ok = false;
    }
    if (ok)
        (void)unlink(at.secret); // it may exist only on its own machine
    release_places(&at);
    return ok;
}

// --- listing ---

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct key *)a)->name, ((const struct key *)b)->name);
}

static bool read_allowed(const char *folder, struct key **out, size_t *n,
                         struct err *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool ok = true;

    if (dir == NULL && errno == ENOENT)
        return true;
    if (dir == NULL) {
        err_set(err, ERR_INPUT, "cannot list %s: %s", FILE_SHOWN(folder, 150),
                strerror(errno));
        return false;
    }
    while (ok && (entry = readdir(dir)) != NULL) {
        char *path;
        struct key *grown;

        if (!key_is_file(entry->d_name, ".pub"))
            continue;
        path = file_join(folder, entry->d_name);
        grown = realloc(*out, (*n + 1) * sizeof *grown);
        if (grown != NULL)
            *out = grown;
        ok = path != NULL && grown != NULL;
        if (!ok)
            err_nomem(err, "the keys");
        ok = ok && key_read(path, &grown[(*n)++], err);
        free(path);
    }
    (void)closedir(dir);
    return ok;
}

bool key_folder_list(const char *folder, struct key **out, size_t *n,
                     struct err *err)
{
    char *allowed = file_join(folder, "allowed");
    bool ok = false;

    *out = NULL;
    *n = 0;
    if (allowed == NULL)
        err_nomem(err, "the keys");
    else
        ok = read_allowed(allowed, out, n, err);
    if (*n > 0)
        qsort(*out, *n, sizeof **out, compare_keys);
    free(allowed);
    return ok;
}
