#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/jobfile_files.h"
#include "cli/key_folder.h"
#include "cli/option_about.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/sbatch.h"
#include "cli/slurm_script.h"
#include "common/file.h"
#include "common/text.h"
#include "store/netfs.h"
#include "wire/key_find.h"

enum {
    SCRIPT_BYTES = 1 << 20,
    IDLE_S = 600, // until a worker without work ends
};

// The paths that the scripts need, and their memory. They are absolute: nodes
// see the same paths, but do not start in this folder.
struct places {
    char *folder;
    char *keys;
    char *worker_key, *client_key;
    char *store;
    char *job, *out;
    char *workers_script, *coordinator_script, *workers_id;
    char promptcc[PATH_MAX];
};

static void release_places(struct places *at)
{
    char *texts[] = {at->folder,     at->keys,           at->worker_key,
                     at->client_key, at->store,          at->job,
                     at->out,        at->workers_script, at->coordinator_script,
                     at->workers_id};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
}

static bool find_program(struct places *at, struct err *err)
{
    ssize_t len =
        readlink("/proc/self/exe", at->promptcc, sizeof at->promptcc - 1);

    if (len <= 0) {
        err_set(err, ERR_IO, "cannot find the path of this program: %s",
                strerror(errno));
        return false;
    }
    at->promptcc[len] = '\0';
    return true;
}

// Checks a text that goes into script comments, which sbatch reads without a
// shell.
static bool is_plain(const char *text, const char *what, struct err *err)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '"' || *c == '%') {
            err_set(err, ERR_INPUT,
                    "%s cannot be passed on to sbatch: it contains a quote, a "
                    "percent sign or a control character: %.100s",
                    what, text);
            return false;
        }
    return true;
}

static bool find_places(const struct options *options, const char *path,
                        struct places *at, struct err *err)
{
    const char *store = option_text(options, OPT_STORE);
    char *beside = jobfile_beside(path, "slurm");
    char *compiled =
        jobfile_given_or(option_text(options, OPT_OUT), path, JOBFILE_COMPILED);

    if (beside != NULL)
        at->folder = file_absolute(beside);
    if (compiled != NULL)
        at->out = file_absolute(compiled);
    at->job = file_absolute(path);
    free(beside);
    free(compiled);
    if (at->folder != NULL) {
        at->store = store == NULL ? file_join(at->folder, JOBFILE_STORE)
                                  : file_absolute(store);
        at->workers_script = file_join(at->folder, "workers.sbatch");
        at->coordinator_script = file_join(at->folder, "coordinator.sbatch");
        at->workers_id = file_join(at->folder, "workers.id");
    }
    if (at->folder == NULL || at->out == NULL || at->job == NULL ||
        at->store == NULL || at->workers_script == NULL ||
        at->coordinator_script == NULL || at->workers_id == NULL) {
        err_nomem(err, "the names of files");
        return false;
    }
    if (!is_plain(at->folder, "the folder", err))
        return false;
    if (mkdir(at->folder, 0700) == 0 || errno == EEXIST)
        return find_program(at, err);
    err_set(err, ERR_IO, "cannot make the folder %s: %s",
            FILE_SHOWN(at->folder, 150), strerror(errno));
    return false;
}

// --- keys ---

static bool make_key(const char *folder, enum key_role role, const char *name,
                     char **path, struct err *err)
{
    char file[64];
    bool made = false;

    (void)text_print(file, sizeof file, "%s.key", name);
    *path = file_join(folder, file);
    if (*path == NULL) {
        err_nomem(err, "a key");
        return false;
    }
    return access(*path, F_OK) == 0 ||
           key_folder_make(folder, role, name, &made, err);
}

// For a coordinator that is a Slurm job: makes keys of its own, unless some are
// given.
static bool find_own_keys(const struct options *options, struct places *at,
                          struct err *err)
{
    const char *given = option_text(options, OPT_KEYS);

    at->keys =
        given == NULL ? file_join(at->folder, "keys") : file_absolute(given);
    if (at->keys == NULL) {
        err_nomem(err, "the keys");
        return false;
    }
    return make_key(at->keys, KEY_WORKER, "slurm-worker", &at->worker_key,
                    err) &&
           make_key(at->keys, KEY_CLIENT, "slurm-client", &at->client_key, err);
}

// For a running coordinator: the worker's key is in the given folder.
static bool find_given_keys(const struct options *options, struct places *at,
                            struct err *err)
{
    const char *given = option_text(options, OPT_KEYS);
    struct key key;
    bool ok;

    if (given == NULL)
        return true;
    ok = key_find(given, KEY_WORKER, &key, err);
    key_wipe(&key);
    at->worker_key = ok ? file_absolute(given) : NULL;
    return ok;
}

// --- with and without a running coordinator ---

// Says what a command that fails leaves in Slurm's queue.
static void say_left(const char *id)
{
    output_say("promptcc: job %s stays in Slurm's queue: `scancel %s` before "
               "you repeat the command\n",
               id, id);
}

static int submit_workers(const struct options *options,
                          const struct places *at, const char *argument,
                          char id[static SBATCH_ID_BYTES], struct err *err)
{
    int status;

    if (!sbatch_submit(at->workers_script, argument, id, err))
        return output_error(options, err);
    output_say("slurm job %s: %s\n", id, at->workers_script);
    if (file_write(at->workers_id, id, strlen(id), err))
        return EXIT_DONE;
    status = output_error(options, err);
    say_left(id);
    return status;
}

// The coordinator is running: submits workers to Slurm and the job to the
// coordinator.
static int submit_to_running(const struct options *options,
                             struct jobfile *file, const struct places *at,
                             struct err *err)
{
    struct follow follow = {.options = options,
                            .file = file,
                            .request = {.action = REQUEST_RUN},
                            .wait = option_on(options, OPT_AWAIT)};
    char id[SBATCH_ID_BYTES];
    int status = submit_workers(options, at, NULL, id, err);

    follow.out = follow.wait ? at->out : NULL;
    if (status != EXIT_DONE)
        return status;
    status = follow_there(&follow);
    if (status == EXIT_USAGE || status == EXIT_FAILED)
        say_left(id);
    return status;
}

// The coordinator is a Slurm job, and the workers wait for it.
static int submit_with_coordinator(const struct options *options,
                                   const struct places *at, struct err *err)
{
    char id[SBATCH_ID_BYTES], workers_id[SBATCH_ID_BYTES];
    char after[SBATCH_ID_BYTES + 32];
    int status;

    (void)unlink(at->workers_id);
    if (!sbatch_submit(at->coordinator_script, NULL, id, err))
        return output_error(options, err);
    output_say("slurm job %s: %s\n", id, at->coordinator_script);
    (void)text_print(after, sizeof after, "--dependency=after:%s", id);
    status = submit_workers(options, at, after, workers_id, err);
    if (status == EXIT_DONE)
        output_say("the result will be in %s; see %s/coordinator.log\n",
                   at->out, at->folder);
    else
        say_left(id);
    return status;
}

static bool write_script(const char *path, const struct buf *text,
                         struct err *err)
{
    return buf_ok(text, "a script", err) &&
           file_write(path, text->data, text->len, err);
}

static bool write_scripts(const struct slurm_plan *plan,
                          const struct places *at, struct err *err)
{
    struct buf text = BUF_INIT(SCRIPT_BYTES);
    bool ok;

    slurm_workers_script(plan, &text);
    ok = write_script(at->workers_script, &text, err);
    buf_clear(&text);
    if (ok && plan->endpoint == NULL) {
        slurm_coordinator_script(plan, &text);
        ok = write_script(at->coordinator_script, &text, err);
    }
    buf_release(&text);
    return ok;
}

static bool check_store(const struct places *at, struct err *err)
{
    char *folder = file_folder(at->store);
    const char *network = folder == NULL ? NULL : netfs_of(folder);

    free(folder);
    if (network == NULL)
        return true;
    err_set(err, ERR_INPUT,
            "a store on a network file system (%s) would be damaged: start "
            "`promptcc coordinator` on this machine with its store on a local "
            "disk and name it with --coordinator, or name a store that is "
            "local to the nodes with --store",
            network);
    return false;
}

// Checks that the compiled file replaces nothing that the job is made of. With
// a running coordinator, the store is not our concern.
static bool check_out(const struct places *at, const struct jobfile *file,
                      const char *endpoint, struct err *err)
{
    const struct out_file_reads reads = {
        .bundle = file->bundle, .store = endpoint == NULL ? at->store : NULL};

    return out_file_check(at->out, "--out", &reads, err);
}

static bool check_sbatch(const char *const *texts, size_t n, bool starts,
                         struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct slurm_option option = slurm_option_of(texts[i]);

        if (option.text[0] != '-') {
            err_set(err, ERR_INPUT,
                    "--sbatch cannot be `%.80s`: it takes an option of sbatch "
                    "with its dashes, such as --gres=gpu:1 or "
                    "both:--account=lab",
                    texts[i]);
            return false;
        }
        if (!option.of_workers && !starts) {
            err_set(err, ERR_INPUT,
                    "--sbatch %.80s and --coordinator contradict each other: "
                    "Slurm starts no coordinator if one is named",
                    texts[i]);
            return false;
        }
        if (!is_plain(option.text, "--sbatch", err))
            return false;
    }
    return true;
}

// Each worker starts one llama-server, with the slots of --slots.
static bool check_llama(const struct options *options, struct err *err)
{
    const char *const *texts = NULL;
    size_t n = option_list(options, OPT_LLAMA_SERVER, &texts);

    if (n > 1)
        err_set(err, ERR_INPUT,
                "--llama-server is given %zu times, and each worker of `slurm` "
                "starts one: name one of them",
                n);
    else if (n == 1 && strstr(texts[0], ",slots=") != NULL)
        err_set(err, ERR_INPUT,
                "--llama-server cannot be `%.80s`: `slurm` gives every worker "
                "the slots of --slots N",
                texts[0]);
    else
        return true;
    return false;
}

static bool make_plan(const struct options *options, const struct jobfile *file,
                      struct places *at, const char **models,
                      struct slurm_plan *out, struct err *err)
{
    const char *endpoint = option_text(options, OPT_COORDINATOR);
    const char *const *sbatch = NULL;
    size_t n_sbatch = option_list(options, OPT_SBATCH, &sbatch);

    if (!check_sbatch(sbatch, n_sbatch, endpoint == NULL, err) ||
        !check_llama(options, err) ||
        !find_places(options, file->path, at, err) ||
        !check_out(at, file, endpoint, err) ||
        (endpoint == NULL && !check_store(at, err)) ||
        !(endpoint == NULL ? find_own_keys(options, at, err)
                           : find_given_keys(options, at, err)))
        return false;
    *out = (struct slurm_plan){
        .name = file->job->name,
        .promptcc = at->promptcc,
        .folder = at->folder,
        .endpoint = endpoint,
        .worker_key = at->worker_key,
        .llama = option_text(options, OPT_LLAMA_SERVER),
        .models = models,
        .n_models = jobfile_models(file, models),
        .sbatch = sbatch,
        .n_sbatch = n_sbatch,
        .workers = option_number(options, OPT_WORKERS, 0),
        .slots = option_number(options, OPT_SLOTS, 1),
        .idle_s = option_number(options, OPT_IDLE, IDLE_S * 1000) / 1000,
        .keys = at->keys,
        .client_key = at->client_key,
        .store = at->store,
        .job = at->job,
        .out = at->out,
        .overrides = file->overrides,
        .n_overrides = file->n_overrides};
    return true;
}

static void say_written(const struct slurm_plan *plan, const struct places *at)
{
    output_say("wrote %s%s%s\n", at->workers_script,
               plan->endpoint == NULL ? " and " : "",
               plan->endpoint == NULL ? at->coordinator_script : "");
}

static int submit_all(const struct options *options, struct jobfile *file)
{
    const char *models[ROLE_COUNT];
    struct places at = {0};
    struct slurm_plan plan = {0};
    struct err err = ERR_CLEAR;
    int status = EXIT_DONE;

    if (!make_plan(options, file, &at, models, &plan, &err) ||
        !write_scripts(&plan, &at, &err))
        status = output_error(options, &err);
    else if (option_on(options, OPT_DRY_RUN))
        say_written(&plan, &at);
    else if (plan.endpoint != NULL)
        status = submit_to_running(options, file, &at, &err);
    else
        status = submit_with_coordinator(options, &at, &err);
    release_places(&at);
    return status;
}

static int run(const struct options *options)
{
    return jobfile_use(options, submit_all);
}

const struct command_entry cmd_slurm = {
    .name = "slurm",
    .usage = "JOB",
    .summary =
        "has Slurm start workers for a job, and a coordinator if there is none",
    .about =
        "It writes scripts for sbatch into slurm/ next to the job file and "
        "submits them: an array of workers, each with its own Ollama on its "
        "node, and, without --coordinator, a coordinator that submits the job "
        "and cancels the workers when it is done (docs/cluster.md).",
    .example = "promptcc slurm job.yaml --workers 8 --sbatch --gres=gpu:1 "
               "--sbatch --time=4:00:00",
    .options = OPTIONS_JOB | OPTIONS_PRINT | OPTIONS_THERE |
               OPTION_BIT(OPT_AWAIT) | OPTION_BIT(OPT_OUT) |
               OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_WORKERS) |
               OPTION_BIT(OPT_SBATCH) | OPTION_BIT(OPT_SLOTS) |
               OPTION_BIT(OPT_LLAMA_SERVER) | OPTION_BIT(OPT_IDLE) |
               OPTION_BIT(OPT_DRY_RUN),
    .min_operands = 1,
    .max_operands = 1,
    .option_help =
        (const struct option_help[]){
            {OPT_SLOTS, "calls in flight at once, for each worker", "1"},
            {OPT_IDLE, "a worker ends after T without a call to make", "10m"},
            {OPT_STORE, "the store of the coordinator that Slurm starts",
             "promptcc.db in the folder slurm, next to the job file"},
            {OPT_LLAMA_SERVER,
             "have each worker start a llama-server with this model, instead "
             "of an Ollama",
             NULL},
            {0}},
    .run = run,
};
