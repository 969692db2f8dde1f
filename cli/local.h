// local: a whole cluster in this process: a coordinator on an inproc endpoint
// and a worker for each model server. What `run` and `eval` stand on; over
// tcp the very same parts are `promptcc coordinator` and `promptcc worker`.

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
    void *zmq; // owned, as all below
    struct coordinator *coordinator;
    struct worker *workers[SERVERS_MAX];
    size_t n_workers;
    struct buf urls;           // of the model servers, for messages
    struct last_words refusal; // of one of them
};

// store is the path of the store. servers may be NULL or none: no worker; jobs
// keep the state in which they are found. out is to be stopped in any case.
bool local_start(struct local *out, const struct options *options,
                 const char *store, const struct servers *servers,
                 struct err *err);
const char *local_endpoint(const struct local *local);
void local_stop(struct local *local);

#endif
