// job: everything that one job file says.
//
// Made by job_load from a bundle, with all findings at once; then read-only.
// The optimizer's parameters stay a node: the optimizers know their own names
// (search/optimizers/optimizer.h), and the command line checks them before a
// run.

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

// Raised when the wording of prompts, the use of random numbers, an algorithm
// or the layout of a key changes: stored answers of older versions are then
// those of another job.
enum { REPLAY_VERSION = 13 };

// ROLE_EMBED embeds texts, for which it needs a model of its own: only jobs
// that search by embeddings have one.
enum role { ROLE_STUDENT, ROLE_TEACHER, ROLE_JUDGE, ROLE_EMBED };
enum { ROLE_COUNT = 4 };
extern const char *const role_names[ROLE_COUNT]; // "student", ...

struct job_model {
    const char *name;     // NULL: the job has none of that role
    const char *revision; // stands for the digest where a server has none
    struct call_options options; // seed is set a call
    struct place place;
};

struct job_data {
    const char *examples; // or train, val, test; NULL where not given
    const char *train, *val, *test;
    double train_share, val_share, test_share;
    const char *stratify; // label to balance, or NULL
    int64_t seed;
    bool separate;
    struct place place;
};

enum { JOB_MAX_NEAREST = 8 };

// 0: no limit.
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
    bool limits_demos;        // `demos.count` is said: no step shows more than
    int64_t max_demos;        // this, the largest choice where it is tuned
    int64_t nearest[JOB_MAX_NEAREST]; // `demos.nearest`: how many demos of a
    size_t n_nearest;      // pool a prompt may show; none: there are no pools
    struct metric *metric; // owned
    const char *optimizer;
    const struct node *optimizer_node; // parameters, or NULL
    struct place optimizer_place;
    struct job_budget budget;
    int64_t seed;   // of the optimizer
    int64_t window; // trials that may be unfinished when the next is proposed
    struct settings settings; // those at the top (SETTING_JOB)
    bool adapter_auto;      // a run scores the baseline under all adapters, and
                            // keeps the best
    bool bootstrap_skipped; // skipped_steps: bootstrap
    int64_t max_prompt_tokens; // of a compiled step; 0: what the context holds
    const char *from; // compiled file of an earlier run to begin with, or NULL
    struct place from_place;
    bool skip_bad;
};

// Reads the first file of the bundle and fetches the data files that it names.
// overrides: "KEY=VALUE" texts as --set has them, applied in order. NULL with
// findings. A job may have warnings.
struct job *job_load(struct bundle *bundle, const char *const *overrides,
                     size_t n_overrides, struct diags *diags);

// The same for a caller that checks more than program/ can: if the job has
// errors, check is called too, so that its findings are told together with
// them. It may read the optimizer's members alone. A job without errors is
// checked by the caller.
typedef void job_check_fn(const struct job *job, struct diags *diags);
struct job *job_load_checked(struct bundle *bundle,
                             const char *const *overrides, size_t n_overrides,
                             job_check_fn *check, struct diags *diags);
void job_free(struct job *job); // NULL is fine

// Whether some candidate of the job searches by embeddings, be it passages or
// demos.
bool job_embeds(const struct job *job);

// All settings that the job says for a model of that role; a candidate's are
// laid over them.
void job_settings(const struct job *job, enum role role, struct settings *out);

// The programs of the user that the job asks, in an order of its own; an ask
// names one of these. Borrowed.
enum { JOB_MAX_COMMANDS = METRIC_MAX_OUTSIDE + PROGRAM_MAX_STEPS };
size_t job_commands(const struct job *job,
                    const struct user_command *out[JOB_MAX_COMMANDS]);

// Which of these it is; it must be one of them.
size_t job_command_number(const struct job *job,
                          const struct user_command *command);

// Brings the files beside the job that these commands name into the bundle;
// words that name none are just words. ERR_LIMIT, ERR_NOMEM.
bool job_fetch_commands(const struct job *job, struct bundle *bundle,
                        struct err *err);

// Adds the bytes of those files: an edited metric program is another metric.
void job_hash_commands(const struct job *job, const struct bundle *bundle,
                       struct hasher *hasher);

// The canonical job: every default resolved, no description, no budget. New
// reference. What its id is made of, with data, seed and REPLAY_VERSION.
json_t *job_canonical(const struct job *job);

// "customer-care-3f2a1b90c4de": the name in lower case with dashes, and 12
// hex digits over canonical job, the bundle's data files, simulated and
// REPLAY_VERSION. The caller frees; NULL without memory.
char *job_id(const struct job *job, const struct bundle *bundle,
             bool simulated);

#endif
