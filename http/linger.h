// linger: ends a connection whose client may still be sending.
//
// A request that is refused because of its headers is answered before its body
// is read. Closing a socket with unread bytes resets it, and the reset may
// overtake the answer: a client that writes its whole request first would see a
// broken pipe instead of "413". So we stop sending, and discard what arrives
// until the client has seen the answer and closes, or exceeds the bounds below.

#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

enum {
    LINGER_BYTES = 64 << 20,  // that are discarded
    LINGER_SILENCE_MS = 1000, // without a byte
};

// Ends sending on fd, a connected socket, and waits as described above. Returns
// at once if another thread shuts fd down. http/crowd.h limits how long a slow
// sender can make this take.
void http_linger(int fd);

#endif
