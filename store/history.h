// history: jobs, candidates, trials, evaluations, events.
//
// This is what a replay reads. Everything is keyed by job_no, a small number
// that stands for the job's id within this store. Puts return false only when
// out of memory or once the store is broken; rows become durable in order
// (store.h, invariant 2).

#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hash.h"
#include "store/job_state.h"
#include "store/store.h"

// --- jobs ---

struct history_job {
    int64_t no;     // out: assigned if the job is new
    const char *id; // "customer-care-3f2a1b90c4de"
    const char *name;
    const char *path;      // of the job file, as the user gave it
    const char *canonical; // JSON
    int64_t seed;
    int64_t replay_version;
    bool simulated;
};

// Returns the job's number, putting the job if it is new (*created says so).
// Returns 0 on failure.
int64_t history_open_job(struct store *store, const struct history_job *job,
                         bool *created, struct err *err);

// Returns the number of a job by its id; 0 if there is none, or on failure.
int64_t history_job_no(struct store *store, const char *id, struct err *err);

// Returns the canonical JSON of the latest other run with the same name,
// ignoring the run with id not_id, and in *version the REPLAY_VERSION that made
// it. Returns NULL if there is none. The caller frees the result.
char *history_previous(struct store *store, const char *name, int64_t not_no,
                       const char *not_id, int64_t *version, struct err *err);

// Sets the job's state, which is also recorded as an event of the job. What a
// paused job waits for before it continues automatically is an event of its
// own, of kind "awaits". The compiled file of a job that is not done does not
// replace one with a better score. All of it becomes durable together.
struct history_job_state {
    enum job_state state;
    const char *reason;   // one sentence, or NULL
    const char *awaits;   // such as "another worker", or NULL
    double score;         // of the compiled program; below 0: none
    const char *document; // the JSON of `run --json`; NULL keeps the old one
    const char *compiled; // the complete file; NULL keeps the old one
};
bool history_job_state(struct store *store, int64_t job_no,
                       const struct history_job_state *now, struct err *err);

// A job that has not ended, reported to the process that holds the store now.
// Either it is "running" or "queued": unless the caller itself is running it,
// its coordinator ended before the job did. Or it is "paused", and its last
// event other than notes and faults is of kind "awaits": it was meant to
// continue automatically.
struct history_left {
    int64_t no;
    const char *id;
    bool whole;         // its submission is in the store, so it can be run
    const char *awaits; // that event's text; NULL: it is not paused
};

// Calls fn for each unfinished job, oldest first.
bool history_unfinished(struct store *store,
                        void (*fn)(void *user, const struct history_left *left),
                        void *user, struct err *err);

// The total time that the sessions of a job have taken so far.
bool history_job_time(struct store *store, int64_t job_no, int64_t wall_ms,
                      struct err *err);
bool history_load_time(struct store *store, int64_t job_no, int64_t *wall_ms,
                       struct err *err);

// Returns the digest pinned for a role ("" if none is); the caller frees it.
char *history_model(struct store *store, int64_t job_no, const char *role,
                    struct err *err);

// A model that a job is answered by from now on. Borrowed.
struct history_pin {
    const char *role;
    const char *name;
    const char *digest;
    bool simulated; // whatever shows the job then says so
};
bool history_pin_model(struct store *store, int64_t job_no,
                       const struct history_pin *pin, struct err *err);

// Freezes a share of the split as a JSON list of row numbers, or, if it is
// already frozen, checks that it is the same (ERR_DIFFERS).
bool history_split(struct store *store, int64_t job_no, const char *share,
                   const size_t *rows, size_t n, struct err *err);

// Sets *has to whether any share of the job contains that row; true for a job
// without shares yet. *has is valid only on success.
bool history_has_row(struct store *store, int64_t job_no, int32_t row,
                     bool *has, struct err *err);

// What was submitted: enough to run the job again.
struct history_file {
    const char *name;
    const char *data;
    size_t len;
};
struct history_submission {
    const char *options;              // JSON (wire/request.h)
    const char *folder;               // "" for a submitted job
    const struct history_file *files; // the job file first
    size_t n_files;
};
bool history_put_submission(struct store *store, int64_t job_no,
                            const struct history_submission *submission,
                            struct err *err);

// Replaces the options of the submission.
bool history_put_options(struct store *store, int64_t job_no,
                         const char *options, struct err *err);

// Calls fn once with the submission, whose texts are borrowed for the call.
// Returns false with ERR_INPUT if the store has none, and false if fn returns
// false.
bool history_load_submission(struct store *store, int64_t job_no,
                             bool (*fn)(void *user,
                                        const struct history_submission *,
                                        struct err *err),
                             void *user, struct err *err);

// One example of a job's data, for people; v_evaluations shows it.
struct history_example {
    int64_t row;       // from 0
    const char *share; // "train", "val", "test"; "" if in none
    const char *file;
    int64_t line;
    const char *inputs, *labels; // JSON objects, or NULL
};
bool history_put_example(struct store *store, int64_t job_no,
                         const struct history_example *example,
                         struct err *err);

// Counts the job's examples that are stored with their contents.
bool history_example_count(struct store *store, int64_t job_no, int64_t *n,
                           struct err *err);

// --- candidates ---

struct history_part {
    const char *step;
    const char *instruction;
    const char *demos; // JSON list
    int64_t instruction_no;
    int64_t demo_set_no;
};

struct history_candidate {
    struct hash hash;
    const struct history_part *parts;
    size_t n_parts;
    // Hashes of the candidates it was made from; ones that were never put are
    // skipped.
    const struct hash *parents;
    size_t n_parents;
    const char *reason; // why it was made, in one sentence
    const char *tuned;  // JSON object: its choices for the tunables; or NULL
};

// Returns the id of a candidate of the job, putting the candidate if it is new.
// Returns 0 on failure. Uses an index in memory that is loaded once per job.
int64_t history_candidate(struct store *store, int64_t job_no,
                          const struct history_candidate *candidate,
                          struct err *err);

// --- trials ---

struct history_trial {
    int64_t number;   // from 1
    const char *kind; // "baseline", "minibatch", "full", "pruned"
    int64_t candidate_id;
    struct hash rows; // hash of the row numbers it is scored on
    bool replaces;    // replaces a stored trial that differs, and all later
};

enum trial_found { TRIAL_NEW, TRIAL_SAME, TRIAL_OTHER };

// Admits a trial: puts it if its number is new, otherwise compares it with the
// stored one. If the trial is marked `replaces` and differs, it takes the
// stored one's place and all later trials are removed; their evaluations and
// calls stay. Without `replaces`, TRIAL_OTHER means that the replay made a
// different decision (err is ERR_DIFFERS and names the trial and the
// difference). It is also returned for a put that failed (err says why).
enum trial_found history_trial(struct store *store, int64_t job_no,
                               const struct history_trial *trial,
                               struct err *err);

// Records the end of a trial; state is "done" or "incomplete". Repeating an end
// with equal numbers puts nothing.
struct history_trial_end {
    int64_t number;
    const char *state;
    double score;
    double low, high; // its 95 % interval
    double baseline;  // the baseline's score on the same rows; NAN if it was
                      // scored on none of them
    int64_t n;
    int64_t calls; // keys that this trial was the first to use
    int64_t tokens;
};
bool history_trial_end(struct store *store, int64_t job_no,
                       const struct history_trial_end *end, struct err *err);

// The best trial so far, on the examples that both it and the baseline were
// scored on.
struct history_best {
    int64_t trial; // 0: its candidate was scored last without a listed trial
    int64_t candidate_id;
    double score, low, high;
    int64_t n;
    double baseline, baseline_low, baseline_high;
    double p_value; // of the difference
};
bool history_put_best(struct store *store, int64_t job_no,
                      const struct history_best *best, struct err *err);

// --- evaluations ---

// More than a program can make for one example
// (coordinator/evaluation_result.c).
enum { EVALUATION_MAX_CALLS = 256 };

// The score of one candidate on one row.
struct history_evaluation {
    int64_t candidate_id;
    int32_t row;
    int32_t replicate;
    int32_t outcome; // enum run_outcome
    int32_t repairs;
    uint32_t lenient;     // reply_leniency bits
    double score;         // NaN: none (unjudged)
    double judge_noise;   // < 0: unknown. Only for put; find leaves it -1
    float p_right;        // of the right label (program/run/right.h); < 0: none
    const char *feedback; // or NULL
    int32_t n_calls;
    int64_t calls[EVALUATION_MAX_CALLS]; // in order of use
};

// Finds the job's stored evaluation with the candidate, row and replicate of
// *found, and fills in the rest (feedback is left NULL). Uses an index in
// memory that is loaded once per job and takes about 20 bytes per evaluation.
// Fills err only if loading failed, which cannot happen after
// history_adopt_job.
bool history_find_evaluation(struct store *store, int64_t job_no,
                             struct history_evaluation *found, struct err *err);
bool history_put_evaluation(struct store *store, int64_t job_no,
                            const struct history_evaluation *evaluation,
                            struct err *err);

// Load the job's indexes (candidates, trials, evaluations) into memory. Since
// this takes 0.4 s for a million evaluations, it is split in two: another
// thread calls `read` on its own store, and the loop calls `adopt` to take over
// the result. If the loop's store has loaded the job already, it keeps what it
// has. Functions that need the indexes and find none load them themselves.
struct job_index;
struct job_index *history_read_job(struct store *reader, int64_t job_no,
                                   struct err *err);
void history_adopt_job(struct store *store, struct job_index *index);

// Each adoption needs a matching unload; the last unload drops the indexes.
void history_unload_job(struct store *store, int64_t job_no);
void history_free_index(struct job_index *index); // accepts NULL

// Returns a number for a job that may turn out to be new.
int64_t history_reserve_job(struct store *store);

// --- events and workers ---

// Puts an event of the whole job; kind is "fault", "program" or "note". There
// are also "state" and "awaits", which history_job_state puts, and "exclude",
// the only one that is about a row.
bool history_event(struct store *store, int64_t job_no, const char *kind,
                   const char *text, struct err *err);

// Puts an event of kind "exclude" for each of the rows, all at once.
bool history_exclude(struct store *store, int64_t job_no, const int32_t *rows,
                     size_t n, const char *text, struct err *err);

// Calls fn for every event of that kind, oldest first. after_call is the last
// call in the store before the event.
bool history_events(struct store *store, int64_t job_no, const char *kind,
                    void (*fn)(void *user, int32_t row, int64_t after_call,
                               const char *text),
                    void *user, struct err *err);

struct history_worker {
    const char *name;
    const char *state;  // "serving", "lost", "left"
    const char *server; // "ollama 0.33.0"
    int64_t slots;
    const char *models; // JSON list
    int64_t calls;
    const char *last_fault;
};
bool history_put_worker(struct store *store,
                        const struct history_worker *worker, struct err *err);

// --- sums for the result ---

// Committed answers of the job and their tokens, for each of n roles. Includes
// only what is durable now.
struct history_cost {
    int64_t calls, prompt_tokens, cached_tokens, generated_tokens, hedged;
    bool cached_known; // for every call; false if there are no calls
};
bool history_costs(struct store *store, int64_t job_no,
                   const char *const *roles, size_t n, struct history_cost *out,
                   struct err *err);

// Returns what is known about the job's judge: how far its score of an answer
// may be off, measured by its own replicates (-1: unknown), and how many
// answers it did not score.
bool history_judge(struct store *store, int64_t job_no, double *noise,
                   int64_t *unjudged, struct err *err);

#endif
