// http_script: an HTTP server for tests that does what it is told.
//
// One row a path: reply, hang, close or cut. Rows may change while it runs.
// Counts what it saw. One thread a connection, keep-alive, loopback only. All
// functions may be called from the test's thread; failures to set up abort.

#ifndef TESTS_UNIT_HTTP_SCRIPT_H
#define TESTS_UNIT_HTTP_SCRIPT_H

#include <stddef.h>

struct http_script;

enum script_act {
    SCRIPT_REPLY, // status and body, after delay_ms
    SCRIPT_HANG,  // nothing, until the client goes
    SCRIPT_CLOSE, // takes the request and closes
    SCRIPT_CUT,   // promises more body than it sends, and closes
    SCRIPT_STALL, // the same, and waits until the client goes
    SCRIPT_NOISE, // the body, which is no HTTP, and closes
    SCRIPT_LATE,  // an error with status at once, the reply after delay_ms
};

struct http_script *http_script_start(int port); // 0 picks one
void http_script_stop(struct http_script *script);
int http_script_port(const struct http_script *script);

// body is copied.
void http_script_set(struct http_script *script, const char *path,
                     enum script_act act, int status, const char *body,
                     int delay_ms);

int http_script_requests(struct http_script *script, const char *path);
int http_script_connections(struct http_script *script);
int http_script_open(struct http_script *script);      // requests under way
int http_script_most_open(struct http_script *script); // at once
int http_script_hangups(struct http_script *script);   // clients that left

// The body of the last request for path, "" before; size includes the NUL.
void http_script_last_body(struct http_script *script, const char *path,
                           char *out, size_t size);

#endif
