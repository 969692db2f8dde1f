// talk: sends bytes to a server in this process, and reads what it replies.

#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <stddef.h>
#include <stdint.h>

// Sends all bytes to `place` ("127.0.0.1:8070"), ends its side of the
// connection, and reads the reply until the server closes or is silent for a
// moment. Returns the reply's status, or 0 if nothing came. Aborts if the reply
// does not begin as an HTTP reply.
int talk(const char *place, const void *bytes, size_t len);

// Like talk, with the bytes as the body of a JSON POST.
int talk_post(const char *place, const char *path, const void *body,
              size_t len);

#endif
