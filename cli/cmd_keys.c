#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/file.h"
#include "common/text.h"
#include "wire/key.h"

#define DEFAULT_FOLDER "keys"

enum { TEXT_BYTES = 16384 };

// The files of a key. Owned.
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
    err_set(err, ERR_IO, "cannot make the folder %.150s: %s", path,
            strerror(errno));
    return false;
}

// --- making ---

// The coordinator's own key, made when it is not there.
static bool own_key(const char *folder, struct key *out, bool *made,
                    struct err *err)
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

static bool make_peer(enum key_role role, const char *name,
                      const struct places *at, const struct key *own,
                      struct err *err)
{
    struct key key;
    bool ok = make_folder(at->allowed, 0755, err) &&
              key_make(role, name, own->public_key, &key, err);

    if (ok && access(at->public_file, F_OK) == 0) {
        err_set(err, ERR_INPUT,
                "%.150s is there already: choose another name, or `promptcc "
                "keys revoke %s` first",
                at->public_file, name);
        ok = false;
    }
    ok = ok && key_write_secret(at->secret, &key, err) &&
         key_write_public(at->public_file, &key, err);
    key_wipe(&key);
    return ok;
}

static void tell_made(enum key_role role, const char *name,
                      const struct places *at, struct buf *out)
{
    const char *command =
        role == KEY_WORKER ? "promptcc worker" : "promptcc submit JOB";

    buf_printf(out,
               "%s is the secret key of %s %s, who may connect as long as %s "
               "is there. Move it to its machine, and use it there:\n"
               "  %s --coordinator tcp://HOST:PORT --keys %s.key\n",
               at->secret, key_role_name(role), name, at->public_file, command,
               name);
}

static bool make(const struct options *options, const char *folder,
                 enum key_role role, struct buf *out, struct err *err)
{
    const char *name =
        options->n_operands > 1 ? options->operands[1] : key_role_name(role);
    struct places at = {0};
    struct key own = KEY_EMPTY;
    bool made = false;
    bool ok =
        key_name_check(name, err) && find_places(folder, name, &at, err) &&
        make_folder(folder, 0700, err) && own_key(folder, &own, &made, err);

    if (ok && role == KEY_COORDINATOR && options->n_operands > 1) {
        err_set(err, ERR_INPUT, "the coordinator's key has no other name");
        ok = false;
    } else if (ok && role == KEY_COORDINATOR && !made) {
        err_set(err, ERR_INPUT,
                "%.150s is there already; with a new one, all keys of workers "
                "and clients have to be made anew",
                at.secret);
        ok = false;
    } else if (ok && role != KEY_COORDINATOR) {
        ok = strcmp(name, "coordinator") != 0 &&
             make_peer(role, name, &at, &own, err);
        if (!ok && err->code == ERR_NONE)
            err_set(err, ERR_INPUT, "this name is the coordinator's");
    }
    if (ok && made)
        buf_printf(out,
                   "%s/coordinator.key is the coordinator's own secret key:\n"
                   "  promptcc coordinator --listen tcp://0.0.0.0:5570 --keys "
                   "%s\n",
                   folder, folder);
    if (ok && role != KEY_COORDINATOR)
        tell_made(role, name, &at, out);
    release_places(&at);
    key_wipe(&own);
    return ok;
}

// --- taking away ---

static bool revoke(const struct options *options, const char *folder,
                   struct buf *out, struct err *err)
{
    const char *name = options->n_operands > 1 ? options->operands[1] : "";
    struct places at = {0};
    bool ok = key_name_check(name, err) && find_places(folder, name, &at, err);

    if (ok && unlink(at.public_file) != 0) {
        err_set(err, ERR_INPUT, "nothing to take away: %.150s: %s",
                at.public_file, strerror(errno));
        ok = false;
    }
    if (ok) {
        (void)unlink(at.secret); // it may be on its own machine only
        buf_printf(out,
                   "%s may not connect any more; a coordinator that uses %s "
                   "cuts it off within two seconds\n",
                   name, folder);
    }
    release_places(&at);
    return ok;
}

// --- listing ---

static const struct grid_column columns[] = {
    {"KEY", "name", GRID_TEXT, false},
    {"ROLE", "role", GRID_TEXT, false},
    {"PUBLIC KEY", "public", GRID_TEXT, false},
};

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct key *)a)->name, ((const struct key *)b)->name);
}

// The keys of the folder in the order of their names. Frees nothing: the caller
// frees *out.
static bool read_allowed(const char *folder, struct key **out, size_t *n,
                         struct err *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool ok = true;

    if (dir == NULL && errno == ENOENT)
        return true;
    if (dir == NULL) {
        err_set(err, ERR_INPUT, "cannot list %.150s: %s", folder,
                strerror(errno));
        return false;
    }
    while (ok && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        char *path;
        struct key *grown;

        if (entry->d_name[0] == '.' || len <= 4 ||
            strcmp(entry->d_name + len - 4, ".pub") != 0)
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

static json_t *list(const char *folder, struct err *err)
{
    char *allowed = file_join(folder, "allowed");
    struct key *keys = NULL;
    size_t n = 0;
    json_t *rows = NULL;

    if (allowed == NULL)
        err_nomem(err, "the keys");
    else if (read_allowed(allowed, &keys, &n, err))
        rows = json_array();
    if (rows != NULL && n > 0)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; rows != NULL && i < n; i++)
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s}", "name", keys[i].name,
                                        "role", key_role_name(keys[i].role),
                                        "public", keys[i].public_key));
    free(keys);
    free(allowed);
    return rows;
}

static int print_list(const struct options *options, const char *folder)
{
    struct err err = ERR_CLEAR;

    return listing_print(options, list(folder, &err), columns,
                         sizeof columns / sizeof *columns,
                         "no keys: make one with `promptcc keys worker NAME` "
                         "or `promptcc keys client NAME`",
                         &err);
}

static int print_done(const struct options *options, const char *what,
                      const struct buf *text)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    const char *name = options->n_operands > 1 ? options->operands[1] : what;
    json_t *document;
    int status;

    if (!option_on(options, OPT_JSON))
        return output_lines(&terminal, text);
    document = json_pack("{s:s, s:s}", "name", name, "state",
                         strcmp(what, "revoke") == 0 ? "revoked" : "allowed");
    status = output_json(document);
    json_decref(document);
    return status;
}

static int run(const struct options *options)
{
    const char *folder = option_text(options, OPT_KEYS);
    const char *what = options->n_operands > 0 ? options->operands[0] : NULL;
    struct buf text = BUF_INIT(TEXT_BYTES);
    struct err err = ERR_CLEAR;
    bool ok = false;
    int status;

    if (folder == NULL)
        folder = DEFAULT_FOLDER;
    if (what == NULL)
        return print_list(options, folder);
    if (key_role_of(what) != KEY_NONE)
        ok = make(options, folder, key_role_of(what), &text, &err);
    else if (strcmp(what, "revoke") == 0)
        ok = revoke(options, folder, &text, &err);
    else
        err_set(&err, ERR_INPUT,
                "`promptcc keys` does not know `%.40s`: it makes the key of a "
                "worker, client or coordinator, or can revoke one",
                what);
    status =
        ok ? print_done(options, what, &text) : output_error(options, &err);
    buf_release(&text);
    return status;
}

const struct command_entry cmd_keys = {
    .name = "keys",
    .usage = "[worker|client|coordinator|revoke] [NAME]",
    .summary = "makes, lists and revokes the keys of a cluster",
    .example = "promptcc keys worker rack1 --keys keys",
    .options = OPTION_BIT(OPT_KEYS) | OPTION_BIT(OPT_JSON),
    .max_operands = 2,
    .run = run,
};
