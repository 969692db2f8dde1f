// settings: what decides how a prompt is answered, apart from its words: the
// form of the answer, and the options of the student's model.
//
// The job says all of them. A candidate says those that it changes, and they
// are part of its id; the rest is the job's. So a thing that may be tuned is a
// row of the table in settings.c, and nothing else: the row is read from a job
// file and a compiled file, written to both, hashed, and laid over the job's.
//
//   job            temperature 0     num_ctx 4096    adapter chat
//   candidate      temperature 0.7
//   the task's     temperature 0.7   num_ctx 4096    adapter chat

#ifndef PROGRAM_GRAPH_SETTINGS_H
#define PROGRAM_GRAPH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/call.h"
#include "common/err.h"
#include "common/hash.h"
#include "program/graph/adapter.h"
#include "program/source/diag.h"
#include "program/source/node.h"

enum { SETTINGS_MAX = 32 }; // rows of the table

struct settings {
    uint32_t said; // bit i: row i of the table; others are unset
    enum adapter adapter;
    struct call_options options; // seed is set a call
};

// Where a row stands in the job file and in a compiled file.
enum setting_place {
    SETTING_JOB,   // a key of its own at the top
    SETTING_MODEL, // under the options of a model
};

// Fills names with those of that place. Returns how many there are.
size_t settings_names(enum setting_place place,
                      const char *names[SETTINGS_MAX]);

// Reads the rows of that place which map has over out. False with findings;
// keys that are no rows are findings of SETTING_MODEL, whose map has no others.
bool settings_parse(const struct node *map, enum setting_place place,
                    const char *what, struct settings *out,
                    struct diags *diags);

// The same of JSON. ERR_INPUT names the row and what it expects.
bool settings_read(const json_t *object, enum setting_place place,
                   struct settings *out, struct err *err);

// Puts what is said of that place into object. False without memory.
bool settings_put(const struct settings *settings, enum setting_place place,
                  json_t *object);

// Changes one by its name, as a tuner does. ERR_INPUT: no such row, or value.
bool settings_set(struct settings *settings, const char *name,
                  const json_t *value, struct err *err);

// Whether there is one of that name.
bool settings_know(const char *name);

// Leaves that setting unset again.
void settings_unset(struct settings *settings, const char *name);

// Reads the value of the row called name from a job file over out. False with
// findings.
bool settings_parse_one(const struct node *node, const char *name,
                        struct settings *out, struct diags *diags);

// Copies the settings that `over` sets, of places up to `place`, over those of
// out.
void settings_lay(const struct settings *over, enum setting_place place,
                  struct settings *out);

// The name of a setting that is unset and must not be; NULL when there is none.
const char *settings_missing(const struct settings *settings);

// Marks all settings as set: for those who fill the struct by hand.
void settings_say_all(struct settings *settings);

void settings_hash(const struct settings *settings, struct hasher *hasher);

#endif
