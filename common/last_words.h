// last_words: a message that one thread leaves for another to read.
//
// `promptcc run` has the model servers' workers and the coordinator in one
// process. A server that refuses everything never becomes a worker of the
// coordinator, so its reason would be missing from the sentence with which the
// job gives up. It is left here.

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

// Both may be called from any thread. Text that does not fit is cut; setting ""
// clears it.
void last_words_set(struct last_words *words, const char *text);
void last_words_get(struct last_words *words, char out[LAST_WORDS_BYTES]);

#endif
