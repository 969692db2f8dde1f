// live: what goes on now, told to every page that is open.
//
// One thread asks the coordinator for its status and the store which trials
// have ended, a few times a second, as long as anybody follows; what it finds
// is one JSON text, and all streams send the same. While nobody follows it asks
// nothing.
//
// An event of the stream:
//
//     event: status
//     data: {"status": {...}, "jobs": [{"job", "state", "trial", "ended",
//            "updated"}, ...]}
//
// `status` is that of the command (coordinator/commands.h), null while the
// coordinator does not answer. `jobs` are the ones that changed last; when
// `trial` (the last one) or `ended` (how many of the last have) differ from
// before, there is something new to be read.

#ifndef WEB_LIVE_H
#define WEB_LIVE_H

#include <stdbool.h>

#include "common/err.h"
#include "http/server.h"
#include "web/web.h"

struct live;

// commands and store, a path, are borrowed and outlive it. It reads by a
// connection of its own, so that news do not wait for what pages ask.
struct live *live_start(const struct web_commands *commands, const char *store,
                        struct err *err);
void live_stop(struct live *live); // after live_wake and http_stop

// Ends all streams, for good.
void live_wake(struct live *live);

// Fills stream; false without memory.
bool live_follow(struct live *live, struct http_stream *stream,
                 struct err *err);

#endif
