// reference_messages: the messages of the protocol, for reference.c. It is a
// file of its own, because message fields and job fields have the same names in
// C code.

#ifndef CLI_REFERENCE_MESSAGES_H
#define CLI_REFERENCE_MESSAGES_H

#include <jansson.h>

// Returns a list of {"kind", "name", "fields"}, which reference.c describes.
// New reference; NULL when out of memory.
json_t *reference_messages(void);

#endif
