// check_finding: what findings about a whole job have in common: their place,
// lists of names that do not become too long, and what keeps a check from being
// made.

#ifndef CLI_CHECK_FINDING_H
#define CLI_CHECK_FINDING_H

#include "cli/jobfile.h"
#include "common/buf.h"
#include "program/source/diag.h"

// Notes that a check could not be made because err is a lack of memory; does
// nothing about other errors.
void check_finding_nomem(struct jobfile *file, const struct err *err);

// Returns the job file as a place, without a line. Borrows its path.
struct place check_finding_place(const struct jobfile *file);

// A list of names starts as this, which has room for all that is appended.
#define CHECK_FINDING_NAMES BUF_INIT(1 << 12)

// Appends a name to a list of names, cut if it is longer than a kilobyte.
// Beyond 200 bytes, the list ends in "...".
void check_finding_name(struct buf *names, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
