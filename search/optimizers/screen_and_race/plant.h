// plant: the program of an earlier run (`from`), put into the space part by
// part, and on the board as it stands.
//
// So its texts and sets take part in the screen like all others, alone and with
// new ones. For the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PLANT_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PLANT_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// The program of an earlier run leads where it is better than the program as
// written. Nothing happens where there is none.
bool plant_earlier(struct search *search, struct err *err);

#endif
