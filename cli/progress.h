// progress: how far a job is, for people, on standard error.
//
// On a terminal a block of lines is drawn over itself, four times a second at
// most. Elsewhere a plain line comes when phase, trial or best change, at most
// one a second, and every 30 s in any case, so that a log shows that the job is
// alive. With --quiet nothing is shown. The two renderers are pure.

#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/terminal.h"
#include "common/buf.h"
#include "wire/message.h"

enum {
    PROGRESS_REDRAW_MS = 250,
    PROGRESS_LINE_MS = 1000,
    PROGRESS_ALIVE_MS = 30000
};

struct progress_view {
    FILE *out; // borrowed
    int fd;    // of out
    bool quiet;
    bool live;
    bool simulated; // said in the block
    int lines;      // drawn, to be drawn over
    int64_t shown_ms;
    // texts of `last` point to these
    char job[128], phase[96], note[256];
    struct progress last;
    bool any; // last is valid
    // what the last plain line said
    char told_phase[96], told_note[256];
    int64_t told_trial;
    double told_best;
};

// simulated: the servers are the stand-in.
void progress_init(struct progress_view *view, FILE *out, bool quiet,
                   bool simulated);

// News. Draws when it is time.
void progress_update(struct progress_view *view,
                     const struct progress *progress, int64_t now_ms);

// Draws what is due.
void progress_tick(struct progress_view *view, int64_t now_ms);

// A line that stays.
void progress_say(struct progress_view *view, const char *text);

// Removes the block.
void progress_end(struct progress_view *view);

// The block: lines, each ended, none wider than the terminal. Returns their
// number.
int progress_block(const struct terminal *terminal,
                   const struct progress *progress, bool simulated,
                   struct buf *out);

// One plain line, ended.
void progress_line(const struct progress *progress, struct buf *out);

// --- numbers for people ---

// "1 trial", "1,234 trials"; "84.0 %" of a fraction; "0:41", "1:02:03".
void put_count(struct buf *out, int64_t n, const char *noun);
void put_percent(struct buf *out, double fraction);
void put_time(struct buf *out, int64_t ms);

#endif
