// passage: the text of a document, as a prompt shows it and as it is embedded.

#ifndef RETRIEVE_PASSAGE_H
#define RETRIEVE_PASSAGE_H

#include <jansson.h>

#include "common/buf.h"

enum { PASSAGE_MAX_BYTES = 4 << 20 };

// Appends the texts of a document (program/job/documents.h), one a line.
// fields: a name or a list of names, whose texts alone are taken; NULL or JSON
// null: all.
void passage_put(const json_t *document, const json_t *fields, struct buf *out);

#endif
