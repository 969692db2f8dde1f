// job_uses: which answers a running job has used, and how often.
//
// The same answer may be used again and again, and by several jobs. A call has
// two bits, by its id in the store, so a million of them take 250 KB.
//
//   job_uses_add(&uses, 7); job_uses_add(&uses, 9); job_uses_add(&uses, 7);
//   job_uses_free_of_cost(&uses, 2) is 1: three uses, of two answers

#ifndef COORDINATOR_JOB_USES_H
#define COORDINATOR_JOB_USES_H

#include <stddef.h>
#include <stdint.h>

struct job_uses {
    int64_t all;            // uses, the same answer as often as it was used
    int64_t each;           // answers, each once
    int64_t ahead;          // answers that were paid and are not used yet
    struct use_bits *words; // owned
    size_t n_words;
};

// The job has paid for an answer that it may use from now on; call is its id,
// from 1 on.
void job_uses_pay(struct job_uses *uses, int64_t call);

// An answer is used; call is its id. Without memory for its bit it counts as
// one that was used before.
void job_uses_add(struct job_uses *uses, int64_t call);
void job_uses_release(struct job_uses *uses);

// Uses that needed no request, where the job paid for so many answers in all
// its sessions. Those that job_uses_pay told count once they are used, so that
// answers on their way take nothing away. Of those that earlier sessions paid
// for, as many are taken for used as there can be: what is not used any more,
// such as the trials at the end of a run with a smaller budget, takes nothing
// away either.
int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid);

#endif
