// crowd: the connections of a server, and which of them have to go.
//
// A connection is a line, in one of four phases: its request arrives, its
// handler is at work, its reply leaves, or it is a stream. A thread looks at
// all lines four times a second and shuts those down
//
//   that take too long   for a request (HTTP_REQUEST_MS) or for taking a reply
//                        (HTTP_REPLY_MS); how long a handler or a stream takes
//                        is its own affair
//   of a crowd           while there are more lines than room: those that have
//                        sent no whole request, or take no reply, for longest
//
// Of max_connections an eighth is kept free, so there is room for seven of
// eight. The crowd also says who may begin to work: see crowd_begin_work.
//
// A line belongs to the crowd from crowd_add to crowd_remove. All but start and
// stop may be called from any thread.

#ifndef HTTP_CROWD_H
#define HTTP_CROWD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum {
    HTTP_REQUEST_MS = 10000,
    HTTP_REPLY_MS = 60000,
};

struct crowd;
struct line;

enum phase { PHASE_REQUEST, PHASE_HANDLER, PHASE_REPLY, PHASE_STREAM };

// NULL with err: no memory, or no thread.
struct crowd *crowd_start(size_t max_connections, size_t max_streams,
                          struct err *err);

// A connection that has just been opened. fd stays the caller's, who removes
// the line before closing it. NULL without memory.
struct line *crowd_add(struct crowd *crowd, int fd);
void crowd_remove(struct crowd *crowd, struct line *line);

// The line goes over to a phase now. line may be NULL here and below: a
// connection for which there was no memory is served, and not counted.
void crowd_enter(struct crowd *crowd, struct line *line, enum phase phase);

// For whom a place is still left when others are refused.
enum urgency {
    URGENCY_NONE,  // a request like any other: while there is room
    URGENCY_STATE, // how the process does: half of what is kept free as well
    URGENCY_ALIVE, // whether it lives: always
};

// Puts the line in PHASE_HANDLER if it may be at work. False: too many are, or
// the crowd is closed.
bool crowd_begin_work(struct crowd *crowd, struct line *line,
                      enum urgency urgency);

// One of max_streams; given back by crowd_leave_stream. False: none is free.
bool crowd_take_stream(struct crowd *crowd);
void crowd_leave_stream(struct crowd *crowd);

// From now on nobody begins to work. Waits up to two seconds for handlers to
// end and for replies to leave.
void crowd_close(struct crowd *crowd);
bool crowd_is_closed(struct crowd *crowd);

// Joins the thread and frees the crowd, whose lines are all removed. NULL is
// fine.
void crowd_stop(struct crowd *crowd);

#endif
