// answers: processes what comes back to the runs of a pool: answers and faults.
//
// A call that fails is tried again after a while. A server that answers no
// calls at all is having an outage, and calls are retried for as long as the
// pool has patience. A call that fails while others are answered is abandoned
// after a few tries, and its run ends with it.

#ifndef PREDICT_ANSWERS_H
#define PREDICT_ANSWERS_H

#include "predict/run.h"

// Take everything that the model server has finished, and everything that
// programs have answered.
void answers_take(struct run_pool *pool);
void answers_take_programs(struct run_pool *pool);

// Ends the runs that wait for documents which cannot be embedded.
void answers_end_without_corpus(struct run_pool *pool);

#endif
