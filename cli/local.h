// local: a whole cluster in this process: a coordinator on an inproc endpoint
// and a worker for each model server. `run` and `eval` are built on it. Over
// tcp, the very same parts are `promptcc coordinator` and `promptcc worker`.

#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include <stdbool.h>

#include "cli/options.h"
#include "cli/servers.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/last_words.h"

struct coordinator;
struct worker;

struct local {
    void *zmq; // owned, like everything below
    struct coordinator *coordinator;
    struct worker *workers[SERVERS_MAX];
    size_t n_workers;
    struct buf urls;           // of the model servers, for messages
    struct last_words refusal; // the reason why one of them was refused
};

// Starts the cluster. `store` is the path of the store. If `servers` is NULL or
// empty, there are no workers, and jobs keep the state in which they are found.
// Call local_stop in any case.
bool local_start(struct local *out, const struct options *options,
                 const char *store, const struct servers *servers,
                 struct err *err);
const char *local_endpoint(const struct local *local);
void local_stop(struct local *local);

#endif
