// programs: the user's programs of one running job, which answer the asks of
// its exec metrics.
//
// A submitted job brings its programs along: they are unpacked into a folder of
// their own, which is removed when they end. A request that ends in a fault is
// asked again, JOB_PROGRAMS_TRIES times in all; then it has failed, like a call
// to a model that dispatch has parked.

#ifndef COORDINATOR_ANSWERERS_PROGRAMS_H
#define COORDINATOR_ANSWERERS_PROGRAMS_H

#include "coordinator/engine.h"
#include "program/job/bundle.h"

enum {
    JOB_PROGRAMS_TRIES = 3,
    JOB_PROGRAMS_IN_VAIN = 9, // three examples without a result
    JOB_PROGRAMS_PROCESSES = 2,
};

// Starts the programs of the job; *out stays NULL if it has none. ERR_INPUT: a
// program does not exist, or the job was submitted and the coordinator does not
// allow that (--allow-exec). The caller stops *out even after a failure.
bool job_programs_start(const struct job *job, const struct bundle *bundle,
                        bool allow_submitted, struct job_programs **out,
                        struct err *err);

// Ends them and removes what was unpacked. Accepts NULL.
void job_programs_stop(struct job_programs *programs);

// Returns true while one of them owes an answer. Accepts NULL.
bool job_programs_are_busy(const struct job_programs *programs);

// Returns a descriptor that is readable while there is an answer to take.
int job_programs_fd(const struct job_programs *programs);

// Returns how often a program has failed that never answered; 0 if it has
// answered, or may have in an earlier process. From JOB_PROGRAMS_IN_VAIN on, a
// failed request is not asked again.
size_t job_programs_in_vain(const struct job_work *work,
                            const struct user_command *command);

struct programs_handlers {
    void *user;
    // The text of the answer is borrowed.
    void (*answered)(void *user, struct flight *flight,
                     const struct call_answer *answer);
    void (*failed)(void *user, struct flight *flight, const char *cause);
};

// Passes the answers that the programs have given to the flights of this job.
void job_programs_read(struct job_work *work,
                       const struct programs_handlers *handlers);

#endif
