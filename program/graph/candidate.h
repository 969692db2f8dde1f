// candidate: what an optimizer chooses: an instruction and demos for each
// predictor, and the settings that it changes.
//
// The demos of a predictor are either shown to the model as they are, or they
// form a pool, and each prompt shows the few whose inputs are nearest to its
// question (retrieve/nearest.h picks them).
//
// A candidate is immutable once built and is shared by reference between
// threads (the count is atomic). Its id is a hash of everything that can change
// an answer; labels such as "instruction 3 of the proposals" are kept with it
// but not hashed.

#ifndef PROGRAM_GRAPH_CANDIDATE_H
#define PROGRAM_GRAPH_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/hash.h"
#include "program/graph/program.h"
#include "program/graph/settings.h"

// Holds every field of the step, inputs and outputs, in signature order.
struct demo {
    json_t *fields; // owned reference
    bool augmented; // a model produced at least one of the outputs
    int row;        // the example it came from, or -1
};

enum { CANDIDATE_MAX_PARENTS = 16 };

struct candidate_part {
    const char *instruction;
    struct demo *demos;
    size_t n_demos;
    size_t nearest;     // how many of the demos are shown; 0: all
    int instruction_no; // 0: as written in the job
    int demo_set_no;    // 0: none
    struct hash shown;  // hash of the demos' fields
};

struct candidate {
    struct arena arena;
    _Atomic int references;
    struct candidate_part *parts; // one per predictor
    size_t n_parts;
    struct settings settings; // those it sets; they override the job's
    json_t *values;       // {"STEP.KEY": value}, overrides the job's; or NULL
    struct hash chosen;   // hash of these values
    struct hash *parents; // ids of the candidates it was made from; not hashed
    size_t n_parents;
    struct hash id; // valid after candidate_seal
};

// Creates the program as written: its own instructions and no demos. The result
// is not sealed.
struct candidate *candidate_new(const struct program *program, struct err *err);

// Returns an unsealed copy with the same parents. Use it for a candidate that
// is only trimmed to fit and does not count as a new one.
struct candidate *candidate_copy(const struct candidate *candidate,
                                 struct err *err);

// Returns an unsealed copy whose parent is `parent`, which must be sealed. This
// is how an optimizer starts a new candidate. For several parents, see
// candidate_set_parents.
struct candidate *candidate_child(struct candidate *parent, struct err *err);

// Both functions copy their arguments (JSON values by reference).
bool candidate_set_instruction(struct candidate *candidate, size_t part, int no,
                               const char *text, struct err *err);
bool candidate_set_demos(struct candidate *candidate, size_t part, int no,
                         const struct demo *demos, size_t n, struct err *err);

// Takes instruction and demos from a part of another candidate.
bool candidate_set_part(struct candidate *candidate, size_t part,
                        const struct candidate_part *from, struct err *err);

// Turns the part's demos, which must already be set, into a pool: a prompt
// shows as many of them as `nearest` says, those nearest to its question. 0
// shows all of them, which is what candidate_set_demos leaves.
void candidate_set_nearest(struct candidate *candidate, size_t part,
                           size_t nearest);

// Appends to `list` the texts by which the demos of the candidate's pools are
// found (step_query). A text may be appended more than once.
bool candidate_pool_texts(const struct candidate *candidate,
                          const struct program *program, json_t *list,
                          struct err *err);

// Returns true if the part shows a demo that came from that row of the data.
// This is never true of a pool, since a row is not shown itself.
bool candidate_part_has(const struct candidate_part *part, int row);

// Returns the part as it is shown for that row: without demos that came from
// the row, since a model that is shown the right answer would only repeat it.
// `others` must have room for n_demos and holds the demos of the result.
struct candidate_part candidate_part_for(const struct candidate_part *part,
                                         int row, struct demo *others);

// Returns how many demos a prompt of the part shows.
size_t candidate_part_n_shown(const struct candidate_part *part);

// Sets a tunable value in the candidate: a setting by its name, or a value of a
// step as STEP.KEY. A NULL value goes back to the job's value. ERR_INPUT: there
// is no such tunable, or it cannot have this value. See tunable.h for who may
// choose what.
bool candidate_set_value(struct candidate *candidate, const char *name,
                         const json_t *value, struct err *err);

// Returns all values set this way: {"temperature": 0.7, "search.k": 8}. New
// reference; NULL when out of memory.
json_t *candidate_tuned(const struct candidate *candidate);

// Like candidate_tuned, but adds how many demos the steps with a pool show:
// {"classify.nearest": 4}. This is meant for people to read. New reference;
// NULL when out of memory.
json_t *candidate_chosen(const struct candidate *candidate,
                         const struct program *program);

// Replaces the parents: the sealed candidates that this one was made from. They
// let people follow a candidate's history.
bool candidate_set_parents(struct candidate *candidate,
                           struct candidate *const *parents, size_t n,
                           struct err *err);

void candidate_seal(struct candidate *candidate); // computes id
struct candidate *candidate_ref(struct candidate *candidate);
void candidate_unref(struct candidate *candidate); // accepts NULL

#endif
