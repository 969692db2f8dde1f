// client_state: the members of a client (client.h), for the files that
// implement it:
//
//   client.c              the job and the commands: what is sent, awaited and
//                         received
//   client_connection.c   the connection to the coordinator: greeting it, and
//                         noticing that it is gone

#ifndef CLIENT_CLIENT_STATE_H
#define CLIENT_CLIENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/submission.h"
#include "common/arena.h"
#include "wire/key.h"
#include "wire/socket.h"

enum {
    TICK_MS = 100,
    COMMAND_MS = 30000, // patience for a REPLY, by default, and for the WELCOME
                        // of a coordinator that may be halted
};

struct client {
    void *zmq; // borrowed
    char *endpoint;
    struct key key;             // wiped at the end; KEY_NONE in the clear
    struct wire_socket *socket; // NULL if it could not be reopened
    struct arena arena;         // for the message being read
    int64_t epoch;
    int64_t patience_ms;
    int64_t reply_ms;   // patience for a REPLY, and with a coordinator that is
                        // gone before it accepted a job or took a command
    int unanswered;     // commands on this connection without a REPLY
    bool remote;        // the coordinator is in another process
    bool welcomed;      // a WELCOME has come
    bool was_welcomed;  // a WELCOME has ever come
    bool connected;     // a HELLO could be sent, so there is a connection
    bool loss_reported; // that the coordinator is gone
    int64_t hello_ms;   // when the last HELLO was sent
    int64_t heard_ms;
    int64_t gone_ms; // when the coordinator was last heard, if it is gone
    int64_t beat_ms;
    struct submission job; // the job that is watched
};

#endif
