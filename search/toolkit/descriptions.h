// descriptions: what a teacher that writes instructions is told about the
// program and its data.
//
// They are texts, most of them by the teacher itself, and each is made once for
// all proposals. The summary of the data and the description of the program are
// made side by side; the steps are described once the latter is done.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_DESCRIPTIONS_H
#define SEARCH_TOOLKIT_DESCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/proposer.h"

// Zeroed means none. All texts are owned.
struct descriptions {
    char *data;    // a summary, or NULL
    char *source;  // the program's text
    char *program; // or NULL
    char **steps;  // one per predictor, NULL where there is none
    size_t n_steps;
};

// Makes those that the options ask for. A question that the teacher gives no
// usable answer to leaves its text NULL. Release `out` in any case.
bool descriptions_make(struct session *session,
                       const struct proposer_options *options,
                       struct descriptions *out, struct err *err);
void descriptions_release(struct descriptions *descriptions);

#endif
