#include "cli/viewer.h"

#include <stdio.h>

#include "cli/notifier.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"

enum {
    STILL_MS = 1500
}; // a replay without news for this long has reached its
   // end

static void show_accepted(void *user, const char *job)
{
    struct viewer *viewer = user;
    char text[300];

    viewer->news_ms = clock_monotonic_ms();
    if (viewer->view.live)
        return; // the block shows the job's name
    (void)text_print(text, sizeof text, "job %s%s", job,
                     viewer->view.simulated ? " (simulated model)" : "");
    progress_say(&viewer->view, text);
}

static void show_progress(void *user, const struct progress *progress)
{
    struct viewer *viewer = user;
    int64_t now = clock_monotonic_ms();

    if (viewer->calls != progress->calls ||
        viewer->reused != progress->reused ||
        viewer->trial != progress->trial || viewer->done != progress->done)
        viewer->news_ms = now;
    viewer->calls = progress->calls;
    viewer->reused = progress->reused;
    viewer->trial = progress->trial;
    viewer->done = progress->done;
    notifier_look(viewer->notifier, progress);
    progress_update(&viewer->view, progress, now);
}

static void show_text(void *user, const char *text)
{
    struct viewer *viewer = user;

    progress_say(&viewer->view, text);
}

static void show_tick(void *user)
{
    struct viewer *viewer = user;

    progress_tick(&viewer->view, clock_monotonic_ms());
}

static bool has_settled(void *user)
{
    const struct viewer *viewer = user;

    return viewer->frozen && viewer->news_ms > 0 &&
           clock_monotonic_ms() - viewer->news_ms > STILL_MS;
}

static bool has_waited_too_long(void *user)
{
    const struct viewer *viewer = user;

    return viewer->patience_ms > 0 &&
           clock_monotonic_ms() - viewer->news_ms > viewer->patience_ms;
}

void viewer_open(struct viewer *viewer, const struct viewer_rules *rules)
{
    *viewer =
        (struct viewer){.notifier = rules->notifier,
                        .frozen = rules->frozen,
                        .news_ms = rules->remote ? clock_monotonic_ms() : 0,
                        .patience_ms = rules->patience_ms};
    progress_init(&viewer->view, stderr, rules->quiet, rules->simulated);
    // On a terminal the block shows what the log would say.
    if (viewer->view.live || rules->quiet)
        log_set_level(LOG_ERROR);
}

struct client_watch viewer_watch(struct viewer *viewer)
{
    return (struct client_watch){.user = viewer,
                                 .accepted = show_accepted,
                                 .progress = show_progress,
                                 .say = show_text,
                                 .tick = show_tick,
                                 .wants_stop = has_settled,
                                 .wants_to_leave = has_waited_too_long};
}

void viewer_close(struct viewer *viewer)
{
    progress_end(&viewer->view);
}
