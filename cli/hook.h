// hook: how one event reaches one URL or one command.
//
// Call from the notifier's thread (notifier.h), which these may block for
// seconds. Private to it.

#ifndef CLI_HOOK_H
#define CLI_HOOK_H

#include <stdbool.h>

#include <jansson.h>

enum { HOOK_WHY_BYTES = 200 };

// An event on its way. All borrowed.
struct hook_event {
    const json_t *json;
    const char *text; // the same
    // Asked again and again; true gives up the event.
    bool (*is_late)(void *user);
    void *user;
};

// Sends the event as the body of a POST. Returns false and says why if the
// server does not take it within 10 s.
bool hook_post(const struct hook_event *event, const char *url,
               char why[HOOK_WHY_BYTES]);

// Gives the event to a command of the shell, on its standard input and in
// PROMPTCC_EVENT, PROMPTCC_JOB and PROMPTCC_SCORE. After 30 s it is ended with
// everything that it started. Returns false and says why if it fails.
bool hook_run(const struct hook_event *event, const char *command,
              char why[HOOK_WHY_BYTES]);

#endif
