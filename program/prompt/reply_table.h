// reply_table: an answer as a Markdown table.
//
//   | title   | score |        | field | value   |
//   |---------|-------|        |-------|---------|
//   | Weather | 7     |        | title | Weather |
//                              | score | 7       |
//
// Names above one row of values, or names in the first of two columns. Several
// rows of values are several answers, and none of them is read.

#ifndef PROGRAM_PROMPT_REPLY_TABLE_H
#define PROGRAM_PROMPT_REPLY_TABLE_H

#include <stdbool.h>

#include "program/prompt/reading.h"

// Finds the outputs in the one table of the reply; false when there is none, or
// it names no output.
bool reply_table_find(struct reading *reading);

#endif
