// answers: what comes back to the runs of a pool: answers, and faults, of which
// some pass.
//
// A call that fails is tried again after a while. While the server answers
// nobody that is an outage, which the pool has patience with; a call that fails
// while others are answered fails after a few tries, and its run with it.

#ifndef PREDICT_ANSWERS_H
#define PREDICT_ANSWERS_H

#include "predict/run.h"

// Takes all that the model server is done with, and all that programs said.
void answers_take(struct run_pool *pool);
void answers_take_programs(struct run_pool *pool);

// Ends the runs that wait for documents which cannot be embedded.
void answers_end_without_corpus(struct run_pool *pool);

#endif
