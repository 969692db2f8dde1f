// lookup: what people ask of a history: the commands jobs, show, trials, best,
// workers, export, query, and the pages (lookup_parts.h lists the files).
//
// Each is a row of a table with one SQL text behind it, so that a command that
// reads a store here and one that asks a coordinator print the same. The JSON
// is that of `--json` (docs/command-line.md).

#ifndef STORE_LOOKUP_H
#define STORE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

// A verb of a COMMAND as docs/protocol.md tells of it. All static.
struct verb_told {
    const char *name;
    bool of_job;          // it is asked of a job that is there
    const char *argument; // members of the argument; NULL: it takes none
    const char *reply;
};
// The i-th row of the table; NULL: there are no more.
const struct verb_told *lookup_told(size_t i);

// True when verb is a row of the table.
bool lookup_knows(const char *verb);

// The answer to verb about job: an id, its beginning or a name; "" is the
// newest job with results. argument is an object or NULL: {"limit": N} of best,
// {"all": true} of workers, {"sql": text} of query, the parameters of
// docs/http-api.md of what pages ask. New reference. NULL with ERR_INPUT for
// what is not there, and with what query_rows fails with.
json_t *lookup_answer(struct store *store, const char *verb, const char *job,
                      const json_t *argument, struct err *err);

#endif
