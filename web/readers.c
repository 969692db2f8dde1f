#include "web/readers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { READERS_MOST = 6 };

struct readers {
    char *path; // owned
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct store *idle[READERS_MOST]; // owned; n_idle of them
    size_t n_idle;
    size_t n_open; // idle or taken
};

struct readers *readers_new(const char *path, struct err *err)
{
    struct readers *readers = calloc(1, sizeof *readers);

    if (readers != NULL)
        readers->path = strdup(path);
    if (readers == NULL || readers->path == NULL) {
        free(readers);
        err_nomem(err, "the readers of the store");
        return NULL;
    }
    pthread_mutex_init(&readers->lock, NULL);
    pthread_cond_init(&readers->given, NULL);
    return readers;
}

void readers_free(struct readers *readers)
{
    if (readers == NULL)
        return;
    for (size_t i = 0; i < readers->n_idle; i++)
        store_close(readers->idle[i]);
    pthread_cond_destroy(&readers->given);
    pthread_mutex_destroy(&readers->lock);
    free(readers->path);
    free(readers);
}

struct store *readers_take(struct readers *readers, struct err *err)
{
    struct store *store = NULL;

    pthread_mutex_lock(&readers->lock);
    while (readers->n_idle == 0 && readers->n_open == READERS_MOST)
        pthread_cond_wait(&readers->given, &readers->lock);
    if (readers->n_idle > 0)
        store = readers->idle[--readers->n_idle];
    else
        readers->n_open++;
    pthread_mutex_unlock(&readers->lock);
    if (store != NULL)
        return store;
    store = store_open_read(readers->path, err);
    if (store == NULL) {
        pthread_mutex_lock(&readers->lock);
        readers->n_open--;
        pthread_cond_signal(&readers->given);
        pthread_mutex_unlock(&readers->lock);
    }
    return store;
}

void readers_give(struct readers *readers, struct store *store)
{
    pthread_mutex_lock(&readers->lock);
    readers->idle[readers->n_idle++] = store;
    pthread_cond_signal(&readers->given);
    pthread_mutex_unlock(&readers->lock);
}
