// talk: bytes to a server in this process, and what it says to them.

#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <stddef.h>
#include <stdint.h>

// Sends all of the bytes to place ("127.0.0.1:8070"), says that there are no
// more, and reads the reply until the server closes, or is silent for a
// moment. Aborts unless what came is nothing or begins as an HTTP reply.
// Returns its status; 0: nothing came.
int talk(const char *place, const void *bytes, size_t len);

// The same as the body of a POST of JSON.
int talk_post(const char *place, const char *path, const void *body,
              size_t len);

#endif
