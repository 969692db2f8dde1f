// conduct: runs a job from its first line to its end, on the job's own thread.
//
//   run:  baseline on the validation share -> optimizer -> winner -> demos for
//         skipped steps -> test share for baseline and winner -> compiled file
//   eval: the program, compiled or not, on the requested rows (evaluate.h)
//
// results.h keeps what is found out on the way.

#ifndef SEARCH_CONDUCT_H
#define SEARCH_CONDUCT_H

#include "search/session/note.h"
#include "search/session/session.h"

// Runs the job. Never fails, since a failure is an ending too. Returns NULL
// only when out of memory.
struct ending *conduct_job(struct session *session);

#endif
