#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "store/guard.h"
#include "store/lock.h"
#include "store/migrate.h"
#include "store/netfs.h"
#include "store/parts.h"
#include "store/store_connect.h"
#include "store/store_load.h"

// --- paths ---

static bool check_folder(const char *path, struct err *err)
{
    char *folder = file_folder(path);
    const char *network = NULL;

    if (folder == NULL) {
        err_nomem(err, "a path");
        return false;
    }
    network = netfs_of(folder);
    if (network != NULL)
        err_set(err, ERR_INPUT,
                "%s is on a network file system (%s), which would damage a "
                "store; name a file on a local disk with --store",
                FILE_SHOWN(folder, 80), network);
    free(folder);
    return network == NULL;
}

enum presence { MAY_BE_NEW, MUST_EXIST };

static bool check_path(const char *path, enum presence presence,
                       struct err *err)
{
    struct stat info = {0};

    if (path[0] == '\0' || strcmp(path, ":memory:") == 0) {
        err_set(err, ERR_INPUT, "a store is a file; name one with --store");
        return false;
    }
    if (stat(path, &info) == 0) {
        if (S_ISREG(info.st_mode))
            return true;
        err_set(err, ERR_INPUT,
                "%s is not a file but %s; name a file with --store",
                FILE_SHOWN(path, 150),
                S_ISDIR(info.st_mode) ? "a folder" : "something else");
        return false;
    }
    if (presence == MAY_BE_NEW && errno == ENOENT)
        return true;
    if (errno == EACCES)
        err_set(err, ERR_INPUT,
                "cannot open %s: you may not enter its folder; change its "
                "permissions, or name another file with --store",
                FILE_SHOWN(path, 100));
    else
        err_set(err, ERR_INPUT,
                "there is no store at %s: %s; a run creates one, and --store "
                "names another",
                FILE_SHOWN(path, 120), strerror(errno));
    return false;
}

// --- open and close ---

// Copies a path. SQLite may have been built to take what begins with "file:"
// for a URI, and would then open another file than the one that we lock.
static char *copy_path(const char *path)
{
    const char *here = strncmp(path, "file:", 5) == 0 ? "./" : "";
    size_t size = strlen(here) + strlen(path) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        (void)snprintf(copy, size, "%s%s", here, path);
    return copy;
}

static struct store *new_store(const char *path, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    char *copy = copy_path(path);

    if (store == NULL || copy == NULL) {
        free(store);
        free(copy);
        err_nomem(err, "the store");
        return NULL;
    }
    store->path = copy;
    store->name = NAME_LOCK_NONE;
    store->file = FILE_LOCK_NONE;
    store->record = BUF_INIT(RECORD_MAX_BYTES);
    store->costs = COSTS_INIT;
    store->snapshot_ms = STORE_SNAPSHOT_MS;
    store->result_bytes = STORE_RESULT_BYTES;
    store->next_call_id = 1;
    store->questions = QUESTIONS_INIT;
    store->prefixes.next_id = store->call_kinds.next_id = 1;
    store->instructions.next_id = store->demo_sets.next_id = 1;
    return store;
}

// Locks by the file's real name: a link to a store is the same store, and may
// lead to another disk.
static bool lock_store(struct store *store, struct err *err)
{
    char *name = realpath(store->path, NULL);
    const char *known = name != NULL ? name : store->path;
    bool ok =
        check_folder(known, err) && name_lock_take(&store->name, known, err);

    free(name);
    if (!ok)
        return false;
    return store->name.follows_killed
               ? file_lock_await(&store->file, store->path, err)
               : file_lock_take(&store->file, store->path, err);
}

static bool open_for_writing(struct store *store, struct err *err)
{
    if (!check_path(store->path, MAY_BE_NEW, err) || !lock_store(store, err) ||
        !store_open_writer(store, err) || !store_open_reader(store, err) ||
        !guard_reader(store, err) || !store_load(store, err))
        return false;
    name_lock_keep(&store->name);
    return true;
}

struct store *store_open(const char *path, struct err *err)
{
    struct store *store = new_store(path, err);

    if (store == NULL || open_for_writing(store, err))
        return store;
    store_close(store);
    return NULL;
}

// Opens without the reader's guard, which would refuse to tell the file's
// version.
static struct store *open_reading(const char *path, struct err *err)
{
    struct store *store = new_store(path, err);

    if (store == NULL ||
        (check_path(path, MUST_EXIST, err) && store_open_reader(store, err)))
        return store;
    store_close(store);
    return NULL;
}

// Opening a store for writing upgrades it.
static bool upgrade(const char *path, enum migrate_age age, struct err *err)
{
    struct err why = ERR_CLEAR;
    struct store *store = store_open(path, &why);

    store_close(store);
    // A store of this version can be read with the views that it has.
    if (store != NULL || age != MIGRATE_OLDER)
        return true;
    err_set(err, why.code,
            "%s was written by an older promptcc and must be upgraded "
            "before it can be read, which failed: %s",
            FILE_SHOWN(path, 90), why.text);
    return false;
}

struct store *store_open_read(const char *path, struct err *err)
{
    struct store *store = open_reading(path, err);
    enum migrate_age age = MIGRATE_CURRENT;
    bool ok = store != NULL && migrate_age(store->reader, path, &age, err);

    if (ok && age != MIGRATE_CURRENT) {
        store_close(store);
        store = upgrade(path, age, err) ? open_reading(path, err) : NULL;
        ok = store != NULL;
    }
    if (ok && guard_reader(store, err))
        return store;
    store_close(store);
    return NULL;
}

// Closes the writer's connection last: the last connection to close moves the
// log into the file and removes it, which a reader may not do. The locks come
// after that.
void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_draft_free(store->draft);
    (void)sqlite3_finalize(store->load_call);
    (void)sqlite3_close(store->reader);
    writer_stop(store->writer);
    file_lock_release(&store->file);
    name_lock_release(&store->name);
    job_index_free_all(store);
    call_index_release(&store->calls);
    costs_release(&store->costs);
    text_index_release(&store->prefixes);
    text_index_release(&store->call_kinds);
    questions_release(&store->questions);
    text_index_release(&store->instructions);
    text_index_release(&store->demo_sets);
    buf_release(&store->record);
    free(store->path);
    free(store);
}

const char *store_path(const struct store *store)
{
    return store->path;
}

bool store_in_use(const struct store *store)
{
    char *name = realpath(store->path, NULL);
    bool held = lock_is_held(name != NULL ? name : store->path);

    free(name);
    return held;
}

// --- the writer ---

int store_notice_fd(const struct store *store)
{
    return store->writer != NULL ? writer_notice_fd(store->writer) : -1;
}

void store_notice_clear(struct store *store)
{
    if (store->writer != NULL)
        writer_notice_clear(store->writer);
}

uint64_t store_last_put(const struct store *store)
{
    return store->writer != NULL ? writer_last_put(store->writer) : 0;
}

uint64_t store_durable(const struct store *store)
{
    return store->writer != NULL ? writer_durable(store->writer) : 0;
}

void store_set_patience(struct store *store, int64_t ms)
{
    writer_set_patience(store->writer, ms);
}

bool store_troubled(const struct store *store)
{
    return store->writer != NULL && writer_troubled(store->writer);
}

bool store_behind(const struct store *store)
{
    return store->writer != NULL && writer_behind(store->writer);
}

bool store_healthy(const struct store *store, struct err *err)
{
    return store->writer == NULL || writer_healthy(store->writer, err);
}

bool store_wait(struct store *store, uint64_t put, struct err *err)
{
    return store->writer == NULL || writer_wait(store->writer, put, err);
}

bool store_wait_untroubled(struct store *store, uint64_t put, struct err *err)
{
    return store->writer == NULL ||
           writer_wait_untroubled(store->writer, put, err);
}

// --- drafts ---

bool store_draft_begin(struct store *reader, int64_t next_job_no,
                       struct err *err)
{
    assert(reader->writer == NULL);
    store_draft_free(reader->draft);
    reader->draft = malloc(sizeof *reader->draft);
    if (reader->draft == NULL) {
        err_nomem(err, "the history of a job");
        return false;
    }
    *reader->draft = DRAFT_INIT;
    reader->next_job_no = next_job_no;
    return true;
}

struct draft *store_draft_take(struct store *reader)
{
    struct draft *draft = reader->draft;

    reader->draft = NULL;
    return draft;
}

bool store_put_draft(struct store *store, struct draft *draft, struct err *err)
{
    return writer_put_draft(store->writer, draft, err);
}

void store_draft_free(struct draft *draft)
{
    if (draft == NULL)
        return;
    buf_release(&draft->frames);
    free(draft);
}
