// programs: the user's programs of one running job, which answer the asks of
// its exec metrics.
//
// A submitted job brings its programs along: they are unpacked into a folder of
// their own, which is removed with them. A request that ends in a fault
// is asked again, JOB_PROGRAMS_TRIES times in all; then it has failed, like a
// call to a model that dispatch has parked.

#ifndef COORDINATOR_ANSWERERS_PROGRAMS_H
#define COORDINATOR_ANSWERERS_PROGRAMS_H

#include "coordinator/engine.h"
#include "program/job/bundle.h"

enum {
    JOB_PROGRAMS_TRIES = 3,
    JOB_PROGRAMS_IN_VAIN = 9, // three examples of which nothing comes
    JOB_PROGRAMS_PROCESSES = 2,
};

// Starts them when the job has any: *out stays NULL when it has none.
// ERR_INPUT: a program is not there, or the job was submitted and the
// coordinator does not allow that (--allow-exec).
bool job_programs_start(const struct job *job, const struct bundle *bundle,
                        bool allow_submitted, struct job_programs **out,
                        struct err *err);

// Ends them and removes what was unpacked. NULL is fine.
void job_programs_stop(struct job_programs *programs);

// True while one of them owes an answer. NULL is fine.
bool job_programs_at_work(const struct job_programs *programs);

// Readable while there is an answer to take.
int job_programs_fd(const struct job_programs *programs);

// How often a program failed that has never answered; 0 for one that has, or
// may have in an earlier process. From JOB_PROGRAMS_IN_VAIN on it is not asked
// again what it was asked before.
size_t job_programs_in_vain(const struct job_work *work,
                            const struct user_command *command);

struct programs_handlers {
    void *user;
    // The text of the answer is borrowed.
    void (*answered)(void *user, struct flight *flight,
                     const struct call_answer *answer);
    void (*failed)(void *user, struct flight *flight, const char *cause);
};

// Takes what they have answered to the flights of this job.
void job_programs_read(struct job_work *work,
                       const struct programs_handlers *handlers);

#endif
