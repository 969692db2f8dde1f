// crowd: the connections of a server, and which of them must be closed.
//
// Each connection is a line, in one of four phases: its request is arriving,
// its handler is working, its reply is leaving, or it is a stream. A thread
// checks all lines four times a second and shuts down two kinds
//
//   slow lines     that take too long to send a request (HTTP_REQUEST_MS) or to
//                  take a reply (HTTP_REPLY_MS); handlers and streams may take
//                  as long as they like
//   excess lines   while there are more lines than room: those that have gone
//                  longest without sending a whole request or taking a reply
//
// An eighth of max_connections is kept free, so there is room for seven
// eighths. The crowd also decides who may begin to work: see crowd_begin_work.
//
// A line belongs to the crowd from crowd_add to crowd_remove. All functions but
// start and stop may be called from any thread.

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

// Returns NULL with err if there is no memory or no thread.
struct crowd *crowd_start(size_t max_connections, size_t max_streams,
                          struct err *err);

// Adds a new connection. The caller still owns fd, and removes the line before
// closing fd. Returns NULL when out of memory.
struct line *crowd_add(struct crowd *crowd, int fd);
void crowd_remove(struct crowd *crowd, struct line *line);

// Moves the line to a phase. line may be NULL here and below: a connection for
// which there was no memory is served but not counted.
void crowd_enter(struct crowd *crowd, struct line *line, enum phase phase);

// Which requests still find room when others are refused.
enum urgency {
    URGENCY_NONE,  // an ordinary request: while there is room
    URGENCY_STATE, // about the state of the process: may also use half of the
                   // reserve
    URGENCY_ALIVE, // whether the process is alive: always
};

// Puts the line in PHASE_HANDLER if it may work now. Returns false if too many
// are working, or the crowd is closed.
bool crowd_begin_work(struct crowd *crowd, struct line *line,
                      enum urgency urgency);

// Takes one of max_streams; crowd_leave_stream gives it back. Returns false if
// none is free.
bool crowd_take_stream(struct crowd *crowd);
void crowd_leave_stream(struct crowd *crowd);

// Lets nobody begin to work from now on. Waits up to two seconds for handlers
// to end and replies to leave.
void crowd_close(struct crowd *crowd);
bool crowd_is_closed(struct crowd *crowd);

// Joins the thread and frees the crowd, from which all lines must have been
// removed. Accepts NULL.
void crowd_stop(struct crowd *crowd);

#endif
