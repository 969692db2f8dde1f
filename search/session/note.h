// note: the messages between a job's thread and the coordinator's loop.
//
// Notes are fixed-size records sent over a ZeroMQ PAIR socket (inproc).
// Pointers in a note pass to the receiver with it.

#ifndef SEARCH_SESSION_NOTE_H
#define SEARCH_SESSION_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "store/history.h"

struct task;

enum note_kind {
    NOTE_TASK,   // session -> loop: run it; loop -> session: it is done
    NOTE_PHASE,  // session -> loop: text
    NOTE_EXPECT, // session -> loop: how many examples and trials the job is
                 // expected to take, from its first to its last
    NOTE_TEXT,   // session -> loop: a line for people
    NOTE_TRIAL,  // session -> loop: a trial is accounted for: end
    NOTE_BEST,   // session -> loop: best
    NOTE_ENDED,  // session -> loop: ending; the thread is about to end
};

// How a job ended. Owned by the holder of the note.
struct ending {
    int status;           // exit status (docs/command-line.md)
    enum job_state state; // a final state
    enum err_code error;  // why it is not done; ERR_NONE if it is
    char reason[240];
    double score;     // of the compiled program; < 0: none
    json_t *document; // without the parts that only the loop knows; owned
    char *compiled;   // owned, or NULL
    // One unreadable reply to be shown as an example: its call (0: all replies
    // could be read) and the row that it was for.
    int64_t fault_call, fault_row;
};

struct note {
    enum note_kind kind;
    int64_t examples, trials; // 0: not known
    struct history_best best;
    struct task *task;
    struct ending *ending;
    struct history_trial_end end; // its state is static
    char text[200];
    int64_t call; // of NOTE_TEXT: its reply is appended to the text; 0: none
};

// Sends a note; blocks only while the peer's queue is full. Returns false when
// the socket is closed.
bool note_send(void *socket, const struct note *note);

// note_receive takes the next note if one has arrived, note_await waits for it.
// Both return false when the socket is closed, and note_receive also when there
// is no note.
bool note_receive(void *socket, struct note *note);
bool note_await(void *socket, struct note *note);

#endif
