// conduct: a job from its first line to its end, on its own thread.
//
// run:  baseline on the validation share -> optimizer -> winner -> demos for
//       skipped steps -> test share for baseline and winner -> compiled file
// eval: the program, compiled or not, on the rows that were asked for

#ifndef COORDINATOR_CONDUCT_H
#define COORDINATOR_CONDUCT_H

#include "coordinator/note.h"
#include "coordinator/session.h"
#include "coordinator/stats.h"

// Never fails: failure is an ending too. NULL only without memory.
struct ending *conduct(struct session *session);

// The interval of a trial's score: Wilson's where scores are right or wrong,
// else a seeded bootstrap.
struct interval trial_interval(const struct session *session,
                               const struct trial *trial);

#endif
