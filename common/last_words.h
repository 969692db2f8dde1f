// last_words: what somebody said last, left by one thread for another to read.
//
// `promptcc run` has model servers and coordinator in one process. A server
// that refuses everything is no worker of the coordinator's yet, so nothing
// that it said would stand in the sentence with which the job gives up; it is
// left here.

#ifndef COMMON_LAST_WORDS_H
#define COMMON_LAST_WORDS_H

#include <pthread.h>
#include <stddef.h>

enum { LAST_WORDS_BYTES = 512 };

struct last_words {
    pthread_mutex_t lock;
    char text[LAST_WORDS_BYTES]; // empty: nothing was said
};

#define LAST_WORDS_INIT ((struct last_words){.lock = PTHREAD_MUTEX_INITIALIZER})

// Both from any thread. What does not fit is cut; "" takes the words back.
void last_words_set(struct last_words *words, const char *text);
void last_words_get(struct last_words *words, char out[LAST_WORDS_BYTES]);

#endif
