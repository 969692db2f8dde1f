// batch: the inputs of `predict --input` and the outputs that go with them.
//
// The inputs are the rows of a file in any form that data may have
// (program/job/rows.h). JSON lines are read as they arrive. Each row gets one
// line of output, in the same order. An empty line between JSON lines stays an
// empty line, so that line n of the output always answers line n of the input.
//
// The file of --output is written under another name and renamed when
// everything is done. If the batch ends early, what was written stays next to
// it as FILE.partial. Pipes and devices are written to directly. Input and
// output must not be the same file.

#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"

struct batch;

// Opens a batch and reads the beginning of `in`. `in` and `out` are paths; "-",
// or NULL for `out`, stands for standard input and output. Returns NULL on
// failure: ERR_INPUT if the input cannot be read, if a header line does not fit
// the program, or if input and output are one file.
struct batch *batch_open(const struct program *program, const char *in,
                         const char *out, struct err *err);

// Reads the next inputs, in the form that runner_io asks for: for a bad row,
// *values is NULL and err is set; for an empty line, *values is NULL and err is
// clear. Returns false at the end.
bool batch_next(struct batch *batch, json_t **values, struct err *err);

// Returns true if batch_next would have to wait for whoever writes the inputs.
bool batch_is_late(const struct batch *batch);

// Writes `document` as one line, or an empty line for NULL. A pipe's reader
// gets the line at once.
bool batch_write(struct batch *batch, const json_t *document, struct err *err);

// Ends the batch and frees it; accepts NULL. On entry, err says how the batch
// went so far. It is set if reading or writing fails at the end.
void batch_close(struct batch *batch, struct err *err);

#endif
