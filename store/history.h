// history: jobs, candidates, trials, evaluations, events.
//
// What replay reads. Everything is keyed by job_no, a small number for the
// job's id within this store. Puts return false only without memory or once
// the store is broken; rows become durable in order (store.h, invariant 2).

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
    int64_t no;     // out: assigned when new
    const char *id; // "customer-care-3f2a1b90c4de"
    const char *name;
    const char *path;      // of the job file, as given
    const char *canonical; // JSON
    int64_t seed;
    int64_t replay_version;
    bool simulated;
};

// The job's number, putting it when it is new (*created says so). 0 on
// failure.
int64_t history_open_job(struct store *store, const struct history_job *job,
                         bool *created, struct err *err);

// The canonical JSON of the latest other run of the same name, leaving out that
// with the id not_id, and in *version the REPLAY_VERSION that made it; NULL
// when there is none. The caller frees.
char *history_previous(struct store *store, const char *name, int64_t not_no,
                       const char *not_id, int64_t *version, struct err *err);

// Sets how a job stands, which becomes an event of the job as well.
struct history_job_state {
    enum job_state state;
    const char *reason;   // one sentence; NULL: none
    double score;         // of the compiled program; below 0: none
    const char *document; // the JSON of `run --json`; NULL keeps what is there
};
bool history_job_state(struct store *store, int64_t job_no,
                       const struct history_job_state *now, struct err *err);

// Puts the compiled file of the job, whole. If the job was stopped (not
// finished), it does not replace one with a better score. Call it before
// history_job_state, which puts the score.
bool history_job_compiled(struct store *store, int64_t job_no,
                          const char *compiled, bool finished, double score,
                          struct err *err);

// A job that has not come to its end, for whoever holds the store now. It is
// "running" or "queued": if the caller does not run it, the job's coordinator
// ended before it did. Or it is "paused", and its last event but notes and
// faults is one of the kind "awaits": it was to go on by itself.
struct history_left {
    int64_t no;
    const char *id;
    bool whole;         // what was submitted is in the store: it can be run
    const char *awaits; // that event's text; NULL: it is not paused
};

// Calls fn for each of them, oldest first.
bool history_unfinished(struct store *store,
                        void (*fn)(void *user, const struct history_left *left),
                        void *user, struct err *err);

// Time that the sessions of a job have taken so far, all together.
bool history_job_time(struct store *store, int64_t job_no, int64_t wall_ms,
                      struct err *err);
bool history_load_time(struct store *store, int64_t job_no, int64_t *wall_ms,
                       struct err *err);

// The digest pinned for a role ("" when none is); the caller frees.
char *history_model(struct store *store, int64_t job_no, const char *role,
                    struct err *err);
bool history_pin_model(struct store *store, int64_t job_no, const char *role,
                       const char *name, const char *digest, struct err *err);

// Marks a job that a simulated server answers, so that whatever shows it says
// so.
bool history_job_simulated(struct store *store, int64_t job_no,
                           struct err *err);

// Freezes a share of the split as a JSON list of row numbers, or checks it
// against the frozen one (ERR_DIFFERS).
bool history_split(struct store *store, int64_t job_no, const char *share,
                   const size_t *rows, size_t n, struct err *err);

// Whether any share of the job has that row. True for a job without shares yet.
// *has is set on success alone.
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

// The same submission with other options.
bool history_put_options(struct store *store, int64_t job_no,
                         const char *options, struct err *err);

// Calls fn once with the submission, whose texts are borrowed for the call.
// ERR_INPUT when the store has none; false too when fn is.
bool history_load_submission(struct store *store, int64_t job_no,
                             bool (*fn)(void *user,
                                        const struct history_submission *,
                                        struct err *err),
                             void *user, struct err *err);

// One example of a job's data, for people: v_evaluations shows it.
struct history_example {
    int64_t row;       // from 0
    const char *share; // "train", "val", "test"; "" in none
    const char *file;
    int64_t line;
    const char *inputs, *labels; // JSON objects, or NULL
};
bool history_put_example(struct store *store, int64_t job_no,
                         const struct history_example *example,
                         struct err *err);

// How many examples of the job are stored with what they say.
bool history_example_count(struct store *store, int64_t job_no, int64_t *n,
                           struct err *err);

// The number of a job by its id; 0 when there is none, or on failure.
int64_t history_job_no(struct store *store, const char *id, struct err *err);

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
    // Hashes of those that it was made of; one that was never put is left out.
    const struct hash *parents;
    size_t n_parents;
    const char *reason; // why it was made, one sentence
    const char *tuned;  // JSON object: what it chose of the tunables; or NULL
};

// The id of a candidate of the job, put when it is new. 0 on failure. Found by
// an index in memory that is loaded once a job.
int64_t history_candidate(struct store *store, int64_t job_no,
                          const struct history_candidate *candidate,
                          struct err *err);

// --- trials ---

struct history_trial {
    int64_t number;   // from 1
    const char *kind; // "baseline", "minibatch", "full", "pruned"
    int64_t candidate_id;
    struct hash rows; // over the row numbers it is scored on
    bool replaces;    // a stored one that differs, and those behind it
};

enum trial_found { TRIAL_NEW, TRIAL_SAME, TRIAL_OTHER };

// Admits a trial: puts it when its number is new; else compares it with the
// stored one. One that replaces it takes its place, and all later trials go;
// their evaluations and calls stay. Otherwise TRIAL_OTHER is for replay that
// took another decision (err is ERR_DIFFERS and names trial and difference),
// and for a put that failed (err says why).
enum trial_found history_trial(struct store *store, int64_t job_no,
                               const struct history_trial *trial,
                               struct err *err);

// Its end. state "done" or "incomplete". A repeated end with equal numbers
// puts nothing.
struct history_trial_end {
    int64_t number;
    const char *state;
    double score;
    double low, high; // the interval of it (95 %)
    double baseline; // the score of the baseline on the same rows; NAN where it
                     // was scored on none of them
    int64_t n;
    int64_t calls; // keys that this trial was the first to use
    int64_t tokens;
};
bool history_trial_end(struct store *store, int64_t job_no,
                       const struct history_trial_end *end, struct err *err);

// The best trial so far, on the examples that both it and the baseline were
// scored on.
struct history_best {
    int64_t trial;
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

// One candidate on one row, judged.
struct history_evaluation {
    int64_t candidate_id;
    int32_t row;
    int32_t replicate;
    int32_t outcome; // enum run_outcome
    int32_t repairs;
    uint32_t lenient;     // reply_leniency bits
    double score;         // NaN: without one (unjudged)
    double judge_noise;   // < 0: not known. Put only; finding leaves it -1
    float p_right;        // of the right label (program/run/right.h); < 0: none
    const char *feedback; // or NULL
    int32_t n_calls;
    int64_t calls[EVALUATION_MAX_CALLS]; // in order of use
};

// Finds the stored one of the job with the candidate, row and replicate of
// *found, and fills in the rest (feedback is left NULL). From an index in
// memory that is loaded once a job, of about 20 bytes each. Fills err only when
// loading it failed, which it cannot after history_adopt_job.
bool history_find_evaluation(struct store *store, int64_t job_no,
                             struct history_evaluation *found, struct err *err);
bool history_put_evaluation(struct store *store, int64_t job_no,
                            const struct history_evaluation *evaluation,
                            struct err *err);

// Loads the job's indexes (candidates, trials, evaluations) into memory. In two
// halves, since it takes 0.4 s for a million evaluations: `read` is done by
// another thread, on a store of its own, `adopt` takes what was read for the
// loop's. Where the loop's has the job already, it keeps what it has. Whatever
// needs the indexes and finds none loads them by itself.
struct job_index;
struct job_index *history_read_job(struct store *reader, int64_t job_no,
                                   struct err *err);
void history_adopt_job(struct store *store, struct job_index *index);

// Each adoption is matched by an unload: the last one drops the indexes.
void history_unload_job(struct store *store, int64_t job_no);
void history_free_index(struct job_index *index); // NULL is fine

// A number for a job that may turn out to be new.
int64_t history_reserve_job(struct store *store);

// --- events and workers ---

// kind: "exclude", "fault", "program", "note", and "awaits" (what a paused job
// waits for, to go on by itself); row -1: none. There is "state" too, which
// history_job_state puts.
bool history_event(struct store *store, int64_t job_no, const char *kind,
                   int32_t row, const char *text, struct err *err);

// Calls fn for every event of that kind, oldest first. after_call: the last
// call of the store before it.
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

// Committed answers of the job and their tokens, for each of n roles: what is
// durable now.
struct history_cost {
    int64_t calls, prompt_tokens, cached_tokens, generated_tokens, hedged;
    bool cached_known; // of every call; false without one
};
bool history_costs(struct store *store, int64_t job_no,
                   const char *const *roles, size_t n, struct history_cost *out,
                   struct err *err);

// What is known of the judge of the job: how far its score of an answer may be
// off by its own replicates (-1: not known), and how many answers it did not
// score.
bool history_judge(struct store *store, int64_t job_no, double *noise,
                   int64_t *unjudged, struct err *err);

#endif
