// http_script: an HTTP server for tests that follows a script.
//
// The script has one row per path: reply, hang, close or cut. Rows may change
// while the server runs, and the server counts what it receives. It uses one
// thread per connection, keeps connections alive, and listens on loopback only.
// All functions may be called from the test's thread. They abort when setting
// up fails.

#ifndef TESTS_UNIT_HTTP_SCRIPT_H
#define TESTS_UNIT_HTTP_SCRIPT_H

#include <stddef.h>

struct http_script;

enum script_act {
    SCRIPT_REPLY, // status and body, after delay_ms
    SCRIPT_HANG,  // says nothing until the client disconnects
    SCRIPT_CLOSE, // reads the request and closes
    SCRIPT_CUT,   // promises more body than it sends, and closes
    SCRIPT_STALL, // the same, but waits until the client disconnects
    SCRIPT_NOISE, // sends the body, which is not HTTP, and closes
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
int http_script_open(struct http_script *script);      // requests in flight
int http_script_most_open(struct http_script *script); // the most at one time
int http_script_hangups(struct http_script *script);   // disconnects

// Copies the body of the last request for path, "" if there was none; size
// includes the NUL.
void http_script_last_body(struct http_script *script, const char *path,
                           char *out, size_t size);

#endif
