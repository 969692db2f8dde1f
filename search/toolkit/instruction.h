// instruction: the instruction itself out of what a model wrote around it.
//
// Models put a label before it, quotes or a fence around it. Those are taken
// off, and nothing else: a colon or a quote may well be part of a good text.

#ifndef SEARCH_TOOLKIT_INSTRUCTION_H
#define SEARCH_TOOLKIT_INSTRUCTION_H

enum { INSTRUCTION_MAX_BYTES = 4000 };

// Without a fence or quotes around the whole and a label such as
// "Instruction:" before it; cut at a sentence beyond INSTRUCTION_MAX_BYTES.
// The caller frees; "" when nothing is left, NULL without memory.
char *instruction_clean(const char *text);

#endif
