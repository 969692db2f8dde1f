// name_list: a list of names, "a, b, c", inside a sentence for people.

#ifndef COORDINATOR_NAME_LIST_H
#define COORDINATOR_NAME_LIST_H

#include <stddef.h>

// Cuts the list, in place, to at most max bytes, between two names: "a, b,
// ...". Returns it; NULL stays NULL.
const char *name_list_cut(char *list, size_t max);

#endif
