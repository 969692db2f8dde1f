#include "coordinator/name_list.h"

#include <string.h>

#include "common/utf8.h"

const char *name_list_cut(char *list, size_t max)
{
    static const char more[] = ", ...";
    size_t room = max - (sizeof more - 1);
    size_t at = room;

    if (list == NULL || strlen(list) <= max)
        return list;
    while (at > 0 && strncmp(list + at, ", ", 2) != 0)
        at--;
    strcpy(list + (at > 0 ? at : utf8_cut(list, room)), more);
    return list;
}
