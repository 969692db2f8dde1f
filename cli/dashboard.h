// dashboard: the pages of `--http`, served next to a coordinator in this
// process.
//
// web/ serves the pages and knows nothing of clients. This file passes each of
// its commands on to the coordinator through a client, like any other.

#ifndef CLI_DASHBOARD_H
#define CLI_DASHBOARD_H

#include <stdbool.h>

#include "cli/options.h"
#include "common/err.h"

struct coordinator;
struct dashboard;

// Starts serving where --http says; *out is NULL if the option was not given.
// zmq and coordinator are borrowed and must outlive the dashboard. Call it
// before signals_accept.
bool dashboard_start(struct dashboard **out, const struct options *options,
                     void *zmq, const struct coordinator *coordinator,
                     const char *store, struct err *err);

// For example "http://127.0.0.1:8070"; borrowed.
const char *dashboard_url(const struct dashboard *dashboard);

void dashboard_stop(struct dashboard *dashboard); // accepts NULL

#endif
