// job_uses: which answers a running job has used, and how often.
//
// The same answer may be used many times, and by several jobs. Each call has
// two bits, indexed by its id in the store, so a million calls take 250 KB.
//
//   job_uses_add(&uses, 7); job_uses_add(&uses, 9); job_uses_add(&uses, 7);
//   job_uses_free_of_cost(&uses, 2) is 1: three uses of two answers

#ifndef COORDINATOR_JOB_USES_H
#define COORDINATOR_JOB_USES_H

#include <stddef.h>
#include <stdint.h>

struct job_uses {
    int64_t all;            // uses; an answer counts each time it is used
    int64_t each;           // answers, each counted once
    int64_t ahead;          // answers that are paid for but not used yet
    struct use_bits *words; // owned
    size_t n_words;
};

// Notes that the job has paid for an answer, which it may use from now on. call
// is its id, from 1.
void job_uses_pay(struct job_uses *uses, int64_t call);

// Notes that an answer is used; call is its id. If there is no memory for its
// bits, it counts as an answer that was used before.
void job_uses_add(struct job_uses *uses, int64_t call);
void job_uses_release(struct job_uses *uses);

// Returns how many uses needed no request: all uses, less the answers that were
// paid for and used. paid is what the job paid for in all its sessions.
//
// An answer that this session paid for (job_uses_pay) counts once it is used,
// so answers in flight do not lower the result. Of the answers that earlier
// sessions paid for, as many as possible count as used. So answers that are no
// longer needed, such as the last trials of a run whose budget was reduced, do
// not lower it either.
int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid);

#endif
