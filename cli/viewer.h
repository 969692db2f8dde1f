// viewer: what is shown of a job while its result is waited for.
//
// Progress goes to standard error, or to a block that is painted again where
// that is a terminal, and to the notifier. The viewer also says when the wait
// is over without a result: a replay has come to rest, or --wait has run out.

#ifndef CLI_VIEWER_H
#define CLI_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"
#include "client/client.h"

struct notifier;

struct viewer {
    struct progress_view view;
    struct notifier *notifier; // borrowed; NULL: nobody is told
    bool frozen;               // ask for a stop once no news come any more
    int64_t news_ms;           // when anything last moved; 0: nothing has
    int64_t patience_ms;       // without news; 0: for ever
    int64_t calls, reused, trial, done; // as last told
};

struct viewer_rules {
    struct notifier *notifier;
    bool quiet;     // only errors are shown
    bool simulated; // and said to be
    bool frozen;
    bool remote; // patience begins now, not with the first news
    int64_t patience_ms;
};

// Lowers the level of the log where its lines would tear the block apart, or
// nothing is to be shown.
void viewer_open(struct viewer *viewer, const struct viewer_rules *rules);

// What a client is to tell, and ask, while it waits. The viewer stays where it
// is until the client has returned.
struct client_watch viewer_watch(struct viewer *viewer);

void viewer_close(struct viewer *viewer);

#endif
