// candidate: what an optimizer chooses: for each predictor an instruction and
// demos, and those settings that it changes.
//
// The demos of a predictor are shown to the model as they stand, or they are a
// pool of which each prompt shows the few whose inputs are nearest to its
// question (retrieve/nearest.h picks them).
//
// Immutable once built and shared by reference between threads (the count is
// atomic). Its id is a hash of all that can change an answer; labels such as
// "instruction 3 of the proposals" are kept with it but not hashed.

#ifndef PROGRAM_GRAPH_CANDIDATE_H
#define PROGRAM_GRAPH_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/hash.h"
#include "program/graph/program.h"
#include "program/graph/settings.h"

// Every field of the step, inputs and outputs, in signature order.
struct demo {
    json_t *fields; // owned reference
    bool augmented; // a model gave at least one of the outputs
    int row;        // the example it came from, or -1
};

enum { CANDIDATE_MAX_PARENTS = 16 };

struct candidate_part {
    const char *instruction;
    struct demo *demos;
    size_t n_demos;
    size_t nearest;     // 0: all demos are shown; else so many of them
    int instruction_no; // 0: as written in the job
    int demo_set_no;    // 0: none
    struct hash shown;  // of the demos' fields
};

struct candidate {
    struct arena arena;
    _Atomic int references;
    struct candidate_part *parts; // one a predictor
    size_t n_parts;
    struct settings settings; // what it says of them, over the job's
    json_t *values;           // {"STEP.KEY": value} over the job's; or NULL
    struct hash chosen;       // of these values
    struct hash *parents;     // ids of those that it was made of; not hashed
    size_t n_parents;
    struct hash id; // valid after candidate_seal
};

// The program as written: its own instructions, no demos. Not sealed.
struct candidate *candidate_new(const struct program *program, struct err *err);

// An unsealed copy to change, with the same parents: for a candidate that is
// only made to fit, and not a new one.
struct candidate *candidate_copy(const struct candidate *candidate,
                                 struct err *err);

// An unsealed copy to change whose parent is that sealed candidate: what an
// optimizer begins with. For several parents, see candidate_set_parents.
struct candidate *candidate_child(struct candidate *parent, struct err *err);

// Both copy what they are given (json values by reference).
bool candidate_set_instruction(struct candidate *candidate, size_t part, int no,
                               const char *text, struct err *err);
bool candidate_set_demos(struct candidate *candidate, size_t part, int no,
                         const struct demo *demos, size_t n, struct err *err);

// Instruction and demos as another candidate's part has them.
bool candidate_set_part(struct candidate *candidate, size_t part,
                        const struct candidate_part *from, struct err *err);

// Makes the part's demos, which were set before, a pool: a prompt shows the
// `nearest` of them. 0: all, as candidate_set_demos leaves it.
void candidate_set_nearest(struct candidate *candidate, size_t part,
                           size_t nearest);

// Appends to a list of texts those by which the demos of its pools are found
// (step_query), some perhaps more than once.
bool candidate_pool_texts(const struct candidate *candidate,
                          const struct program *program, json_t *list,
                          struct err *err);

// Whether a demo that the part shows came from that row of the data; a pool
// shows none to itself.
bool candidate_part_has(const struct candidate_part *part, int row);

// The part as it is shown for that row: without demos that came from the row,
// since a model that is shown the right answer would only repeat it. others has
// room for n_demos, and holds the demos of the result.
struct candidate_part candidate_part_for(const struct candidate_part *part,
                                         int row, struct demo *others);

// How many demos a prompt of the part shows.
size_t candidate_part_shows(const struct candidate_part *part);

// Gives the candidate a value of its own for something that may be tuned: a
// setting by its name, or a value of a step as STEP.KEY. value NULL: the job's
// value again. ERR_INPUT: there is no such setting, or it has no such value.
// See tunable.h for who may choose what.
bool candidate_set_value(struct candidate *candidate, const char *name,
                         const json_t *value, struct err *err);

// All such values: {"temperature": 0.7, "search.k": 8}. New reference; NULL
// without memory.
json_t *candidate_tuned(const struct candidate *candidate);

// The same, and how many demos the steps with a pool show: {"classify.nearest":
// 4}. For people. New reference; NULL without memory.
json_t *candidate_chosen(const struct candidate *candidate,
                         const struct program *program);

// Sets the candidates that it was made of, which are sealed, in place of those
// named before: for people, who follow it in the history.
bool candidate_set_parents(struct candidate *candidate,
                           struct candidate *const *parents, size_t n,
                           struct err *err);

void candidate_seal(struct candidate *candidate); // computes id
struct candidate *candidate_ref(struct candidate *candidate);
void candidate_unref(struct candidate *candidate); // NULL is fine

#endif
