// batch: the inputs of `predict --input` and the outputs that go with them.
//
// Inputs are the rows of a file in any form that data may have
// (program/job/rows.h), JSON lines as they come. For each row there is one
// line of output in the same order; an empty line between JSON lines stays an
// empty line, so that the n-th line answers the n-th.
//
// The file of --output is written aside and takes its name when all is done;
// if the batch ends before, what was written stays beside it as FILE.partial.
// A pipe or a device is written to as it is. Input and output may not be one
// file.

#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"

struct batch;

// in and out are paths; "-", and out NULL, are the standard ones. Reads the
// beginning of in. NULL on failure: ERR_INPUT for what cannot be read, a head
// line that does not fit the program, or one file for both.
struct batch *batch_open(const struct program *program, const char *in,
                         const char *out, struct err *err);

// The next inputs, as runner_io has them: *values NULL and err set for a bad
// row, *values NULL and err clear for an empty line. False at the
// end.
bool batch_next(struct batch *batch, json_t **values, struct err *err);

// Whether batch_next would have to wait for whoever writes the inputs.
bool batch_is_late(const struct batch *batch);

// Writes a line: document, or an empty one for NULL. Whoever reads a pipe has
// it at once.
bool batch_write(struct batch *batch, const json_t *document, struct err *err);

// Ends the batch and frees it (NULL is fine). err says how it went so far, and
// is filled if reading or writing failed in the end.
void batch_close(struct batch *batch, struct err *err);

#endif
