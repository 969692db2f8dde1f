// awaits: what has to change before a paused job continues without a person. It
// is stored by name with the job's state (history.h), so that the next
// coordinator knows it too.

#ifndef COORDINATOR_AWAITS_H
#define COORDINATOR_AWAITS_H

enum awaits {
    AWAITS_NOTHING, // only a person resumes the job
    AWAITS_WORKER,  // a worker that it has not tried
    AWAITS_DISK,    // a disk that can be read
};

// Returns the name; NULL for AWAITS_NOTHING. awaits_named does the reverse: it
// returns AWAITS_NOTHING for NULL and for a name that it does not know.
const char *awaits_name(enum awaits awaits);
enum awaits awaits_named(const char *name);

#endif
