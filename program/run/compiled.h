// compiled: the file that an optimization ends in, and production loads.
//
// DSPy's state JSON, one object a predictor in file order, then `metadata`;
// DSPy 3.4 loads it as it is. metadata.promptcc holds all that a run needs
// without the job: the program, models, options, adapter, scores. It holds no
// time, host, path or call count: two undisturbed runs are equal byte for
// byte. The format key by key stands in docs/compiled.md.

#ifndef PROGRAM_RUN_COMPILED_H
#define PROGRAM_RUN_COMPILED_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "program/job/job.h"

// The number of the format, in metadata.promptcc. It is raised when older
// readers would misread a file. Files with lower numbers can still be read, and
// a file that needs nothing new has the lower number:
//
//   1   all demos of a step are shown
//   2   a step shows the demos of a pool that are nearest to its question
//   3   nearest by their embeddings
enum { COMPILED_FORMAT = 3 };

// What a file says apart from program and candidate.
struct compiled_facts {
    const char *job_id;
    const char *optimizer;
    const char *digests[ROLE_COUNT]; // of the models; "" unknown
    bool simulated;
    const json_t *scores;    // {"baseline", "compiled", "test"}; borrowed
    const struct plan *plan; // steps outside it are marked as not measured
    const json_t *ensemble;  // what it is made of (ensemble.h), or NULL
};

// Appends the whole file.
bool compiled_write(const struct job *job, const struct candidate *candidate,
                    const struct compiled_facts *facts, struct buf *out,
                    struct err *err);

// A file made ready to run.
struct compiled {
    char *folder; // where the file lies, and what it names; owned; NULL: it
                  // came as a text
    struct program *program;     // owned
    struct candidate *candidate; // owned, sealed
    struct settings settings;    // all of them
    char *model;                 // of the student; owned
    char *digest;                // "" unknown; owned
    char *embed_model;  // that embeds its queries and documents; "" or NULL:
                        // it searches by none; owned
    char *embed_digest; // the same
    int32_t embed_num_ctx;
    char *job_id; // owned
    bool simulated;
    json_t *metadata; // owned: metadata.promptcc whole
};

// Reads a file of ours, untrusted. path is for messages and outlives it.
struct compiled *compiled_read(const char *path, const char *text, size_t len,
                               struct err *err);
void compiled_free(struct compiled *compiled); // NULL is fine

// The names of the models that a run of it asks, which are one or two.
size_t compiled_models(const struct compiled *compiled, const char *out[2]);

// Reads instructions and demos of any DSPy state file (ours, DSPy's own, or
// old style with signature_instructions) for a program that is at hand.
// Another program's file (predictors or fields differ) is ERR_INPUT and names
// the first difference. The candidate is sealed, and says the adapter where the
// file does.
struct candidate *compiled_candidate(const struct program *program,
                                     const char *path, const char *text,
                                     size_t len, struct err *err);

#endif
