// sections: an answer in parts, each behind a marker or a label.

#ifndef PROGRAM_PROMPT_SECTIONS_H
#define PROGRAM_PROMPT_SECTIONS_H

#include <stdbool.h>

#include "program/prompt/reading.h"

// Finds the outputs behind markers ([[ ## title ## ]]); false when there is no
// section of any. An end marker alone ends a bare answer, which the reply is
// cut to.
bool sections_find(struct reading *reading);

// The same behind labels ("Title: x"), where no marker is used.
bool sections_find_labels(struct reading *reading);

// True when there is an end marker.
bool sections_are_ended(struct reading *reading);

#endif
