// lookup: answers people's questions about a history, for the commands jobs,
// show, trials, best, workers, export, query, and for the pages (lookup_parts.h
// lists the files).
//
// Each question is a row of a table, answered by one SQL text, so that a
// command that reads a local store and one that asks a coordinator print the
// same. The JSON is that of `--json` (docs/command-line.md).

#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

// A verb of a COMMAND as docs/protocol.md describes it. All strings are static.
struct verb_about {
    const char *name;
    bool of_job;          // asks about a job that must exist
    const char *argument; // members of the argument; NULL: it takes none
    const char *reply;
};
// Returns the i-th row of the table, or NULL if there are no more.
const struct verb_about *lookup_about(size_t i);

// Returns true if verb is a row of the table.
bool lookup_knows(const char *verb);

// Returns the answer to verb about job, which is an id, the beginning of one,
// or a name; "" is the newest job with results. argument is an object or NULL:
// {"limit": N} for best, {"all": true} for workers, {"sql": text} for query,
// and for the pages' verbs the parameters in docs/http-api.md. Returns a new
// reference. Fails with ERR_INPUT if something does not exist, and with the
// errors of query_rows.
json_t *lookup_answer(struct store *store, const char *verb, const char *job,
                      const json_t *argument, struct err *err);

#endif
