// answers: what comes back to the runs of a pool: answers and faults.
//
// A call that fails is tried again after a while. While the server answers no
// call at all, that is an outage, and calls are tried for as long as the pool
// has patience. A call that fails while others are answered is given up after a
// few tries, and its run with it.

#ifndef PREDICT_ANSWERS_H
#define PREDICT_ANSWERS_H

#include "predict/run.h"

// Takes all that the model server is done with, and all that programs said.
void answers_take(struct run_pool *pool);
void answers_take_programs(struct run_pool *pool);

// Ends the runs that wait for documents which cannot be embedded.
void answers_end_without_corpus(struct run_pool *pool);

#endif
