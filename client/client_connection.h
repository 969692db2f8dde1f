// client_connection: a client's connection to its coordinator.
//
// It greets until it is welcomed, sends heartbeats, and opens a new socket when
// the coordinator is gone.

#ifndef CLIENT_CLIENT_CONNECTION_H
#define CLIENT_CLIENT_CONNECTION_H

#include "client/client_state.h"

// Opens a socket. Returns false, and leaves client->socket NULL, on failure.
bool client_connect(struct client *client, struct err *err);

// Greets again on a new socket, so that nothing old can arrive.
bool client_reconnect(struct client *client, struct err *err);

// The same, for a coordinator that is gone, which is said once.
bool client_lose_coordinator(struct client *client, struct err *err);

// Send a HELLO or a HEARTBEAT if it is due.
void client_greet(struct client *client, int64_t now);
void client_beat(struct client *client, int64_t now);

// Takes a WELCOME, and says so if the coordinator was gone.
void client_take_welcome(struct client *client);

// Call while a wait that began at `began` goes on: gives up a coordinator that
// was silent for too long. Returns false if waiting longer is of no use; err
// says why.
bool client_check_silence(struct client *client, int64_t began, int64_t now,
                          struct err *err);

#endif
