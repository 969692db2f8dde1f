// plant: puts the program of an earlier run (`from`) into the space, part by
// part, and on the board as a whole.
//
// So its texts and sets take part in the screen like all others, alone and
// combined with new ones. Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PLANT_H
#define SEARCH_OPTIMIZERS_SCREEN_AND_RACE_PLANT_H

#include <stdbool.h>

#include "common/err.h"
#include "search/optimizers/screen_and_race/search.h"

// Makes the program of an earlier run the leader if it is better than the
// program as written. Does nothing if there is none.
bool plant_earlier(struct search *search, struct err *err);

#endif
