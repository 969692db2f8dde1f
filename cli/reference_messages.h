// reference_messages: the messages of the protocol, for reference.c. A file of
// its own, since a field of a message and one of a job share their names.

#ifndef CLI_REFERENCE_MESSAGES_H
#define CLI_REFERENCE_MESSAGES_H

#include <jansson.h>

// A list of {"kind", "name", "fields"}, as reference.c tells. New reference;
// NULL without memory.
json_t *reference_messages(void);

#endif
