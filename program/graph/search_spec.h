// search_spec: what a retrieve step searches, and how.
//
//   search:
//     retrieve: leaflets.jsonl          # or a folder of text files
//     inputs: {query: ask.query}
//     by: embeddings                    # the default is words
//     k: {tune: [2, 4, 8], default: 4}
//     fields: [title, text]

#ifndef PROGRAM_GRAPH_SEARCH_SPEC_H
#define PROGRAM_GRAPH_SEARCH_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "program/graph/program.h"

enum { SEARCH_MAX_PASSAGES = 100 };

struct search_spec {
    const char *documents; // a file or a folder of the job
    enum search_by by;
    int64_t k;      // how many passages, at most
    json_t *fields; // names of the fields to search; NULL: all; owned
};

// How a retrieve step searches for a candidate with these values (candidate.h),
// which may be NULL: the candidate's choice, or else the job's. search_fields
// returns a name or a list of names, borrowed; NULL means all fields.
enum search_by search_by(const struct step *step, const json_t *values);
int64_t search_k(const struct step *step, const json_t *values);
const json_t *search_fields(const struct step *step, const json_t *values);

// Returns how many steps of the program search by embeddings with these values.
size_t search_embeddings(const struct program *program, const json_t *values);

#endif
