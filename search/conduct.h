// conduct: a job from its first line to its end, on its own thread.
//
// run:  baseline on the validation share -> optimizer -> winner -> demos for
//       skipped steps -> test share for baseline and winner -> compiled file
// eval: the program, compiled or not, on the rows that were asked for
//       (evaluate.h)
//
// What is found out on the way is kept in results.h.

#ifndef SEARCH_CONDUCT_H
#define SEARCH_CONDUCT_H

#include "search/session/note.h"
#include "search/session/session.h"

// Never fails: failure is an ending too. NULL only without memory.
struct ending *conduct_job(struct session *session);

#endif
