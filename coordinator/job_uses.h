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

// How many uses needed no request: all uses, less the answers that were paid
// for and used. paid is what the job paid for in all its sessions.
//
// An answer that this session paid for (job_uses_pay) counts once it is used,
// so that answers on their way do not lower the number. Of the answers that
// earlier sessions paid for, as many as possible are taken as used: answers
// that are not needed any more, such as the last trials of a run whose budget
// was made smaller, do not lower it either.
int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid);

#endif
