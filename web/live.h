// live: tells every open page what is happening now.
//
// While anybody follows, one thread asks the coordinator for its status and the
// store which trials have ended, a few times a second. It makes one JSON text
// of that, which all streams send. While nobody follows, it asks nothing.
//
// An event of the stream:
//
//     event: status
//     data: {"status": {...}, "jobs": [{"job", "state", "trial", "ended",
//            "updated"}, ...]}
//
// `status` is the reply to that command (coordinator/commands.h), or null while
// the coordinator does not answer. `jobs` are those that changed last. If
// `trial` (the last one) or `ended` (how many of the latest trials have ended)
// differs from before, there is something new to read.

#ifndef WEB_LIVE_H
#define WEB_LIVE_H

#include <stdbool.h>

#include "common/err.h"
#include "http/server.h"
#include "web/web.h"

struct live;

// commands and store, a path, are borrowed and must outlive it. It reads over
// its own connection, so that news need not wait for what pages ask.
struct live *live_start(const struct web_commands *commands, const char *store,
                        struct err *err);
void live_stop(struct live *live); // call after live_wake and http_stop

// Ends all streams for good.
void live_wake(struct live *live);

// Fills in stream; returns false when out of memory.
bool live_follow(struct live *live, struct http_stream *stream,
                 struct err *err);

#endif
