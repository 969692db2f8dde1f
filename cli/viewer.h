// viewer: what is shown while a command waits for the result of a job.
//
// Progress goes to standard error, redrawn in place on a terminal, and to the
// notifier. The viewer also decides when the wait is over without a result:
// because a replay can get no further, or because --wait has run out.

#ifndef CLI_VIEWER_H
#define CLI_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"
#include "client/client.h"

struct notifier;

struct viewer {
    struct progress_view view;
    struct notifier *notifier; // borrowed; NULL: none
    bool frozen;               // ask for a stop once there is no more news
    int64_t news_ms;           // when anything last moved; 0: not yet
    int64_t patience_ms;       // how long to wait without news; 0: forever
    int64_t calls, reused, trial, done; // as last reported
};

struct viewer_rules {
    struct notifier *notifier;
    bool quiet;     // show only errors
    bool simulated; // the servers are the stand-in; say so
    bool frozen;
    bool remote; // patience begins now, not with the first news
    int64_t patience_ms;
};

// Opens the viewer. Lowers the log level if log lines would tear the block
// apart, or if nothing should be shown.
void viewer_open(struct viewer *viewer, const struct viewer_rules *rules);

// Returns what a client reports to, and asks, while it waits. The viewer must
// not move until the client has returned.
struct client_watch viewer_watch(struct viewer *viewer);

// Erases the block from the terminal.
void viewer_close(struct viewer *viewer);

#endif
