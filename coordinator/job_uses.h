// job_uses: which answers a running job has used, and how often.
//
// The same answer may be used again and again, and by several jobs. A call has
// one bit, by its id in the store, so a million of them take 125 KB.
//
//   job_uses_add(&uses, 7); job_uses_add(&uses, 9); job_uses_add(&uses, 7);
//   job_uses_free_of_cost(&uses, 2) is 1: three uses, of two answers

#ifndef COORDINATOR_JOB_USES_H
#define COORDINATOR_JOB_USES_H

#include <stddef.h>
#include <stdint.h>

struct job_uses {
    int64_t all;    // uses, the same answer as often as it was used
    int64_t each;   // answers, each once
    uint64_t *bits; // of those; owned
    size_t n_words;
};

// An answer is used; call is its id, from 1 on. Without memory for its bit it
// counts as one that was used before.
void job_uses_add(struct job_uses *uses, int64_t call);
void job_uses_release(struct job_uses *uses);

// Uses that needed no request, where the job paid for so many answers in all
// its sessions. As many of the answers are taken for paid by it as there can
// be. What it paid for and does not use any more, such as the trials at the
// end of a run with a smaller budget, takes nothing away from them.
int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid);

#endif
