// linger: the end of a connection whose client may still be sending.
//
// A request that is refused by its headers is answered before its body is read.
// A socket closed with bytes unread is reset, and the reset may overtake the
// answer: a client that writes its whole request first would see a broken pipe
// in place of "413". So sending ends here, and what arrives is thrown away
// until the client has seen the answer and closes, or goes beyond the bounds.

#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

enum {
    LINGER_BYTES = 64 << 20,  // that are thrown away
    LINGER_SILENCE_MS = 1000, // without a byte
};

// Ends sending on fd, a connected socket, and waits as above. Ends at once when
// another thread shuts fd down. How long it takes of a client that sends slowly
// is bounded by http/crowd.h.
void http_linger(int fd);

#endif
