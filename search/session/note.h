// note: what a job's thread and the coordinator's loop say to each other.
//
// Fixed-size records over a ZeroMQ PAIR socket (inproc). Pointers in them
// change hands with the note.

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
    NOTE_EXPECT, // session -> loop: examples and trials that the job is
                 // expected to come to, from its first to its last
    NOTE_TEXT,   // session -> loop: a line for people
    NOTE_TRIAL,  // session -> loop: a trial is accounted for: end
    NOTE_BEST,   // session -> loop: best
    NOTE_ENDED,  // session -> loop: ending; the thread is about to end
};

// How a job ended. It belongs to the holder of the note.
struct ending {
    int status;           // exit status (docs/command-line.md)
    enum job_state state; // one that has ended
    enum err_code error;  // why it is not done; ERR_NONE when it is
    char reason[240];
    double score;     // of the compiled program; < 0: none
    json_t *document; // without what only the loop knows; owned
    char *compiled;   // owned, or NULL
    // One reply that could not be read, to be shown: its call (0: all could),
    // and the row that it was for.
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
    int64_t call; // of NOTE_TEXT: its reply stands behind the text; 0: none
};

// Both block only while the peer's queue is full. False when the socket is
// closed.
bool note_send(void *socket, const struct note *note);
bool note_receive(void *socket, struct note *note, bool wait);

#endif
