// search_spec: what a retrieve step searches, and how.
//
//   search:
//     retrieve: leaflets.jsonl          # or a folder of text files
//     inputs: {query: ask.query}
//     k: {tune: [2, 4, 8], default: 4}
//     fields: [title, text]

#ifndef PROGRAM_GRAPH_SEARCH_SPEC_H
#define PROGRAM_GRAPH_SEARCH_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { SEARCH_MAX_PASSAGES = 100 };

struct search_spec {
    const char *documents; // a file or a folder of the job
    int64_t k;             // passages, at most
    json_t *fields;        // names of those searched; NULL: all; owned
};

#endif
