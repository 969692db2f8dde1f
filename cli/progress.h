// progress: shows people on standard error how far a job is.
//
// On a terminal, a block of lines is redrawn in place, at most four times a
// second. Elsewhere, a plain line is printed when the phase, trial or best
// score changes, at most once a second, and every 30 s in any case, so that a
// log shows that the job is alive. With --quiet nothing is shown. The two
// renderers are pure.

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
    bool simulated; // the block says so
    int lines;      // drawn so far, to be redrawn
    int64_t shown_ms;
    // the texts of `last` point to these
    char job[128], phase[96], note[256];
    struct progress last;
    bool any; // last is valid
    // what the last plain line said
    char shown_phase[96], shown_note[256];
    int64_t shown_trial;
    double shown_best;
};

// `simulated` says that the servers are the stand-in.
void progress_init(struct progress_view *view, FILE *out, bool quiet,
                   bool simulated);

// Takes news about the job, and draws if it is time to.
void progress_update(struct progress_view *view,
                     const struct progress *progress, int64_t now_ms);

// Draws if it is time to.
void progress_tick(struct progress_view *view, int64_t now_ms);

// Prints a line that stays.
void progress_say(struct progress_view *view, const char *text);

// Removes the block.
void progress_end(struct progress_view *view);

// Appends the block: complete lines, none wider than the terminal. Returns how
// many there are.
int progress_block(const struct terminal *terminal,
                   const struct progress *progress, bool simulated,
                   struct buf *out);

// Appends one plain line, with its newline.
void progress_line(const struct progress *progress, struct buf *out);

#endif
