// reply_table: an answer as a Markdown table.
//
//   | title   | score |        | field | value   |
//   |---------|-------|        |-------|---------|
//   | Weather | 7     |        | title | Weather |
//                              | score | 7       |
//
// The names are either above one row of values or in the first of two columns.
// Several rows of values are several answers, and none of them is read.

#ifndef PROGRAM_PROMPT_REPLY_TABLE_H
#define PROGRAM_PROMPT_REPLY_TABLE_H

#include <stdbool.h>

#include "program/prompt/reading.h"

// Finds the outputs in the only table of the reply. Returns false if the reply
// has no table or more than one, or the table names no output.
bool reply_table_find(struct reading *reading);

#endif
