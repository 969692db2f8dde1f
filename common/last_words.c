#include "common/last_words.h"

#include <string.h>

#include "common/text.h"

void last_words_set(struct last_words *words, const char *text)
{
    pthread_mutex_lock(&words->lock);
    (void)text_print(words->text, sizeof words->text, "%s", text);
    pthread_mutex_unlock(&words->lock);
}

void last_words_get(struct last_words *words, char out[LAST_WORDS_BYTES])
{
    pthread_mutex_lock(&words->lock);
    memcpy(out, words->text, sizeof words->text);
    pthread_mutex_unlock(&words->lock);
}
