// servers: model servers, inside the machine.
//
// Replaces model/model.h. As with a model at temperature 0, the reply depends
// on the request alone, so every answer can be checked wherever it is found.
// Some replies cannot be read, some are cut or empty. If a server refuses a
// call, fails it, or never answers it, that is a fault of the server.

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
    int64_t away_us;   // does not respond before this time
    int64_t frozen_us; // what is asked before this time is answered after it
    int64_t begun;     // calls
    int64_t answered;  // calls
};

// Starts all servers with speed 1 and without faults.
void servers_start(void);
struct server *servers_get(int number);
// Ends all faults and makes all servers quick.
void servers_heal(void);

// Writes the address of a server, "http://server-NUMBER".

// Returns the hash of everything in the request that the answer depends on.
struct hash servers_request(const char *prefix, size_t prefix_len,
                            const char *tail, size_t tail_len, int64_t seed);
// Returns the reply; the caller frees its text.
struct call_answer servers_answer(const char *prefix, size_t prefix_len,
                                  const char *tail, size_t tail_len,
                                  int64_t seed);

#endif
