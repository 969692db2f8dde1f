// compiled: the file that an optimization produces and production loads.
//
// It is DSPy's state JSON: one object for each predictor in file order, then
// `metadata`. DSPy 3.4 loads it as it is. metadata.promptcc has all that a run
// needs without the job: the program, models, options, adapter, scores. It has
// no time, host, path or call count, so that two undisturbed runs are equal
// byte for byte. docs/compiled.md describes the format key by key.

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

// The format number in metadata.promptcc. It is raised when older readers would
// misread a file. Files with lower numbers can still be read, and a file that
// needs nothing new gets the lower number:
//
//   1   all demos of a step are shown
//   2   a step shows the demos of a pool that are nearest to its question
//   3   nearest by their embeddings
enum { COMPILED_FORMAT = 3 };

// What a file says besides program and candidate.
struct compiled_facts {
    const char *job_id;
    const char *optimizer;
    const char *digests[ROLE_COUNT]; // of the models; "" if unknown
    bool simulated;
    const json_t *scores;    // {"baseline", "compiled", "test"}; borrowed
    const struct plan *plan; // steps outside it are marked as unmeasured
    const json_t *ensemble;  // its members (ensemble.h), or NULL
};

// Appends the whole file.
bool compiled_write(const struct job *job, const struct candidate *candidate,
                    const struct compiled_facts *facts, struct buf *out,
                    struct err *err);

// A file, read and ready to run.
struct compiled {
    char *folder; // the file's folder, which its paths are relative to; owned;
                  // NULL if it was read from a text
    struct program *program;     // owned
    struct candidate *candidate; // owned, sealed
    struct settings settings;    // all of them
    char *model;                 // the student's; owned
    char *digest;                // "" if unknown; owned
    char *embed_model; // embeds queries and documents; "" or NULL if nothing is
                       // searched by embeddings; owned
    char *embed_digest; // like digest
    int32_t embed_num_ctx;
    char *job_id; // owned
    bool simulated;
    json_t *metadata; // all of metadata.promptcc; owned
};

// Sets *text to the UTF-8 text of a compiled file, which may be in UTF-16, as
// Windows PowerShell writes it (program/source/encoding.h).
bool compiled_decode(const char *data, size_t len, struct buf *spare,
                     const char **text, size_t *text_len, struct err *err);

// Reads an untrusted file of ours, in UTF-8 or UTF-16. path is for messages and
// must outlive the result.
struct compiled *compiled_read(const char *path, const char *text, size_t len,
                               struct err *err);
void compiled_free(struct compiled *compiled); // accepts NULL

// Lists the names of the one or two models that a run asks.
size_t compiled_models(const struct compiled *compiled, const char *out[2]);

// Reads instructions and demos from any DSPy state file (ours, DSPy's own, or
// old style with signature_instructions) for a given program. A file of another
// program (its predictors or fields differ) gives ERR_INPUT, which names the
// first difference. The candidate is sealed; its adapter is set if the file
// names one.
struct candidate *compiled_candidate(const struct program *program,
                                     const char *path, const char *text,
                                     size_t len, struct err *err);

#endif
