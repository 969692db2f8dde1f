// dashboard: the pages of `--http`, beside a coordinator of this process.
//
// web/ serves them and knows nothing of clients; here each of its commands
// becomes one of a client of the coordinator, like any other.

#ifndef CLI_DASHBOARD_H
#define CLI_DASHBOARD_H

#include <stdbool.h>

#include "cli/options.h"
#include "common/err.h"

struct coordinator;
struct dashboard;

// Starts serving where --http says; *out is NULL when it was not given. zmq and
// coordinator are borrowed and end after it. Before signals_accept.
bool dashboard_start(struct dashboard **out, const struct options *options,
                     void *zmq, const struct coordinator *coordinator,
                     const char *store, struct err *err);

// "http://127.0.0.1:8070"; borrowed.
const char *dashboard_url(const struct dashboard *dashboard);

void dashboard_stop(struct dashboard *dashboard); // NULL is fine

#endif
