// sections: reads an answer in parts, each after a marker or a label.

#ifndef PROGRAM_PROMPT_SECTIONS_H
#define PROGRAM_PROMPT_SECTIONS_H

#include <stdbool.h>

#include "program/prompt/reading.h"

// Finds the outputs after markers ([[ ## title ## ]]). Returns false if no
// output has a section. If there is only an end marker, the reply is cut to the
// bare answer before it.
bool sections_find(struct reading *reading);

// Like sections_find, but finds labels ("Title: x"), for replies without
// markers.
bool sections_find_labels(struct reading *reading);

// Returns true if there is an end marker.
bool sections_are_ended(struct reading *reading);

#endif
