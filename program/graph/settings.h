// settings: what determines how a prompt is answered, apart from its words: the
// form of the answer and the options of the student's model.
//
// The job sets all of them. A candidate sets those that it changes, which
// become part of its id; it takes the rest from the job. To make a setting
// tunable, add a row to the table in settings.c, and nothing else: the row is
// read from job files and compiled files, written to both, hashed, and laid
// over the job's.
//
//   job              temperature 0     num_ctx 4096    adapter chat
//   candidate        temperature 0.7
//   used in a task   temperature 0.7   num_ctx 4096    adapter chat

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
    uint32_t said; // bit i: row i of the table is set
    enum adapter adapter;
    struct call_options options; // seed is set for each call
};

// Where a row is found in the job file and in a compiled file.
enum setting_place {
    SETTING_JOB,   // a top-level key
    SETTING_MODEL, // among the options of a model
};

// Fills `names` with the settings of that place and returns how many there are.
size_t settings_names(enum setting_place place,
                      const char *names[SETTINGS_MAX]);

// Reads the rows of that place that `map` contains into `out`, replacing what
// was there. Returns false with findings. For SETTING_MODEL, keys that are not
// rows are findings too, since that map holds nothing else.
bool settings_parse(const struct node *map, enum setting_place place,
                    const char *what, struct settings *out,
                    struct diags *diags);

// Like settings_parse, for JSON. ERR_INPUT names the row and what it expects.
bool settings_read(const json_t *object, enum setting_place place,
                   struct settings *out, struct err *err);

// Adds the settings of that place that are set to object. Returns false when
// out of memory.
bool settings_put(const struct settings *settings, enum setting_place place,
                  json_t *object);

// Sets one by its name, as a tuner does. ERR_INPUT: no such row, or no such
// value.
bool settings_set(struct settings *settings, const char *name,
                  const json_t *value, struct err *err);

// Returns true if there is a setting of that name.
bool settings_has(const char *name);

// Unsets that setting again.
void settings_unset(struct settings *settings, const char *name);

// Reads the value of the row called `name` from a job file into `out`,
// replacing what was there. Returns false with findings.
bool settings_parse_one(const struct node *node, const char *name,
                        struct settings *out, struct diags *diags);

// Copies the settings that `over` sets, of all places up to `place`, to `out`.
void settings_overlay(const struct settings *over, enum setting_place place,
                      struct settings *out);

// Returns the name of a setting that is unset but required; NULL when there is
// none.
const char *settings_missing(const struct settings *settings);

// Marks all settings as set; for code that fills in the struct by hand.
void settings_mark_all_set(struct settings *settings);

// Adds all settings that are set, by their names.
void settings_hash(const struct settings *settings, struct hasher *hasher);

#endif
