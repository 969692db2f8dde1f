// servers: model servers, inside the machine.
//
// Takes the place of model/model.h. The reply to a request is a function of the
// request alone, as of a model at temperature 0, so every answer that is found
// anywhere can be checked. Some replies cannot be read, some are cut or empty.
// What a server does to a call on top of that (refuses it, fails it, never
// answers it) is a fault of the server.

#ifndef TESTS_SIMULATION_SERVERS_H
#define TESTS_SIMULATION_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"

enum { SERVERS_MOST = 1024 };

#define SERVERS_MODEL "little:1b"
#define SERVERS_EMBEDDER "embedder"
#define SERVERS_DIGEST                                                         \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct server {
    double speed;
    double fails;      // share of its calls that end in a fault
    double hangs;      // share that it never answers
    int64_t away_us;   // nobody answers before
    int64_t frozen_us; // what is asked before is answered after it
    int64_t begun;     // calls
    int64_t answered;  // of those
};

// All of speed 1 and without faults.
void servers_start(void);
struct server *servers_get(int number);
// No faults any more, and all are quick.
void servers_heal(void);

// What the address of a server is called: "http://server-NUMBER".

// Of everything in it that an answer depends on.
struct hash servers_request(const char *prefix, size_t prefix_len,
                            const char *tail, size_t tail_len, int64_t seed);
// The reply: text is to be freed.
struct call_answer servers_answer(const char *prefix, size_t prefix_len,
                                  const char *tail, size_t tail_len,
                                  int64_t seed);

#endif
