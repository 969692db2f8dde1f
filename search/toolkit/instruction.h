// instruction: extracts the instruction from what a model wrote around it.
//
// Models put a label before it, or quotes or a fence around it. Those are
// removed, and nothing else: a colon or a quote may well be part of a good
// text.

#ifndef SEARCH_TOOLKIT_INSTRUCTION_H
#define SEARCH_TOOLKIT_INSTRUCTION_H

enum { INSTRUCTION_MAX_BYTES = 4000 };

// Returns the text without a fence or quotes around the whole and without a
// label such as "Instruction:" before it. A text longer than
// INSTRUCTION_MAX_BYTES is cut at the end of a sentence. Returns "" if nothing
// is left, NULL when out of memory. The caller frees the result.
char *instruction_clean(const char *text);

#endif
