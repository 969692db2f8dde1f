// job: everything that a job file says.
//
// job_load makes a job from a bundle and reports all findings at once; after
// that the job is read-only. The optimizer's parameters stay a node: the
// optimizers know their own names (search/optimizers/optimizer.h), and the
// command line checks them before a run.

#ifndef PROGRAM_JOB_JOB_H
#define PROGRAM_JOB_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/call.h"
#include "common/hash.h"
#include "program/graph/program.h"
#include "program/graph/settings.h"
#include "program/graph/tunable.h"
#include "program/job/bundle.h"
#include "program/metric/metric.h"
#include "program/prompt/prompt.h"
#include "program/source/diag.h"
#include "program/source/node.h"

// Raise this when the wording of prompts, the use of random numbers, an
// algorithm or the layout of a key changes. Stored answers of older versions
// then belong to a different job.
enum { REPLAY_VERSION = 14 };

// ROLE_EMBED embeds texts and needs a model of its own; only jobs that search
// by embeddings have one.
enum role { ROLE_STUDENT, ROLE_TEACHER, ROLE_JUDGE, ROLE_EMBED };
enum { ROLE_COUNT = 4 };
extern const char *const role_names[ROLE_COUNT]; // "student", ...

struct job_model {
    const char *name;            // NULL: the job has no model of that role
    const char *revision;        // replaces the digest if a server has none
    struct call_options options; // seed is set for each call
    struct place place;
};

struct job_data {
    const char *examples; // or else train, val, test; NULL if not given
    const char *train, *val, *test;
    double train_share, val_share, test_share;
    const char *stratify; // label to balance, or NULL
    int64_t seed;
    bool separate;
    struct place place;
};

enum { JOB_MAX_NEAREST = 8 };

// 0 means no limit.
struct job_budget {
    int64_t max_calls;
    int64_t max_tokens;
    int64_t max_time_ms;
};

struct job {
    struct arena arena;
    const char *path; // as the user gave it
    const char *name;
    const char *description;
    struct job_model models[ROLE_COUNT];
    struct program *program; // owned
    struct job_data data;
    struct tunables tunables; // what a search may choose; owned
    bool limits_demos;        // `demos.count` is given: no step shows more than
    int64_t max_demos;        // this many; the largest choice if it is tuned
    int64_t nearest[JOB_MAX_NEAREST]; // `demos.nearest`: how many demos of a
    size_t n_nearest;      // pool a prompt may show; empty: there are no pools
    struct metric *metric; // owned
    const char *optimizer;
    const struct node *optimizer_node; // its parameters, or NULL
    struct place optimizer_place;
    struct job_budget budget;
    int64_t seed;   // of the optimizer
    int64_t window; // trials that may be unfinished when the next is proposed
    struct settings settings; // top-level settings (SETTING_JOB)
    bool adapter_auto; // score the baseline under all adapters, and keep the
                       // best one
    bool bootstrap_skipped;    // skipped_steps: bootstrap
    int64_t max_prompt_tokens; // of a compiled step; 0: limited by the context
    const char *from; // compiled file of an earlier run to start from, or NULL
    struct place from_place;
    bool skip_bad;
};

// Reads the first file of the bundle and fetches the data files that it names.
// overrides are "KEY=VALUE" texts as for --set, applied in order. Returns NULL
// with findings. A job may have warnings.
struct job *job_load(struct bundle *bundle, const char *const *overrides,
                     size_t n_overrides, struct diags *diags);

// Like job_load, for a caller that checks more than program/ can. If the job
// has errors, `check` is called as well, so that its findings are reported
// together with them; it may read only the optimizer's members. If the job has
// no errors, the caller checks it.
typedef void job_check_fn(const struct job *job, struct diags *diags);
struct job *job_load_checked(struct bundle *bundle,
                             const char *const *overrides, size_t n_overrides,
                             job_check_fn *check, struct diags *diags);
void job_free(struct job *job); // accepts NULL

// Returns true if any candidate of the job searches by embeddings, whether for
// passages or for demos.
bool job_embeds(const struct job *job);

// Gives all settings that the job has for a model of that role. A candidate's
// settings are laid over them.
void job_settings(const struct job *job, enum role role, struct settings *out);

// Lists the user's programs that the job asks, in a fixed order; every ask
// names one of them. Borrowed.
enum { JOB_MAX_COMMANDS = METRIC_MAX_OUTSIDE + PROGRAM_MAX_STEPS };
size_t job_commands(const struct job *job,
                    const struct user_command *out[JOB_MAX_COMMANDS]);

// Returns the index of `command` in that list, which must contain it.
size_t job_command_number(const struct job *job,
                          const struct user_command *command);

// Adds the files of the job that these commands name to the bundle; words that
// do not name a file are just words. ERR_LIMIT, ERR_NOMEM.
bool job_fetch_commands(const struct job *job, struct bundle *bundle,
                        struct err *err);

// Adds the bytes of those files to the hash: an edited metric program is a
// different metric.
void job_hash_commands(const struct job *job, const struct bundle *bundle,
                       struct hasher *hasher);

// Returns the canonical job: every default resolved, no description, no budget.
// The job's id is made of it, together with data, seed and REPLAY_VERSION. New
// reference.
json_t *job_canonical(const struct job *job);

// Returns "customer-care-3f2a1b90c4de": the name in lower case with dashes, and
// 12 hex digits over the canonical job, the bundle's data files, simulated and
// REPLAY_VERSION. The caller frees the result; NULL when out of memory.
char *job_id(const struct job *job, const struct bundle *bundle,
             bool simulated);

#endif
