// exec_slot: a place for one child of a command at a time, and the conversation
// with it: a line to the child, a line back, or a fault.
//
// exec_pool.h states the rules that a child is held to. Call only from the
// pool's thread.

#ifndef EXEC_EXEC_SLOT_H
#define EXEC_EXEC_SLOT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exec/exec_child.h"
#include "exec/exec_pool.h"
#include "exec/exec_queue.h"

// Whether it is proven that the answers of a command match its questions. While
// it is being proven, no other request of the command begins.
enum exec_proof { EXEC_UNPROVEN, EXEC_PROVING, EXEC_PROVEN };

// A command whose program was found. All slots of the command share it.
struct exec_service {
    struct exec_command command;
    char *path;         // owned by the pool
    const char *folder; // of the job; borrowed
    enum exec_proof proof;
};

struct exec_slot {
    struct exec_service *service; // borrowed
    struct exec_queue *queue;     // borrowed; takes the results
    struct exec_child child;
    struct exec_request *request; // owned; NULL: idle
    size_t written;
    int64_t deadline_ms;
    bool answered;       // the present child has answered at least once
    bool out_of_step;    // it wrote without being asked
    bool proving;        // it is the first child of its command, and gets one
                         // line
    int64_t answered_ms; // when it answered; 0: not yet
    int64_t lacking_ms;  // since when the system lacks what a child needs to
                         // start; 0: it does not
    int64_t again_ms;    // if so, when it is tried again
};

enum { EXEC_SLOT_FDS = 3 }; // standard output, standard error, standard input

void exec_slot_init(struct exec_slot *slot, struct exec_service *service,
                    struct exec_queue *queue);
void exec_slot_release(struct exec_slot *slot); // its child has ended

// Gives an idle slot a request, which it takes. A child starts if none is
// running; if the system lacks processes for it, that is tried for half a
// minute. If the request ends at once, the slot is idle again.
void exec_slot_give(struct exec_slot *slot, struct exec_request *request);

// Fills in the EXEC_SLOT_FDS descriptors to be polled. Returns when the slot
// has to be served at the latest (monotonic milliseconds), or -1 if that does
// not matter.
int64_t exec_slot_poll(const struct exec_slot *slot, struct pollfd *fds);

// Acts on what the poll found, and on the time.
void exec_slot_serve(struct exec_slot *slot, const struct pollfd *fds);

// Ends the child, if there is one.
void exec_slot_end(struct exec_slot *slot);

#endif
