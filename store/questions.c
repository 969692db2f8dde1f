#include "store/questions.h"

#include <stdlib.h>
#include <string.h>

void questions_release(struct questions *questions)
{
    free(questions->places);
    *questions = QUESTIONS_INIT;
}

static bool make_places(struct questions *questions, struct err *err)
{
    if (questions->places != NULL)
        return true;
    questions->places = calloc(QUESTIONS_KEPT, sizeof *questions->places);
    if (questions->places == NULL) {
        err_nomem(err, "the store");
        return false;
    }
    crypto_shorthash_keygen(questions->key);
    return true;
}

struct question_row *questions_place(struct questions *questions,
                                     const char *text, size_t len,
                                     struct hash *hash, struct err *err)
{
    uint32_t at = 0;

    if (!make_places(questions, err))
        return NULL;
    (void)crypto_shorthash_siphashx24(hash->bytes, (const unsigned char *)text,
                                      len, questions->key);
    memcpy(&at, hash->bytes, sizeof at);
    return &questions->places[at % QUESTIONS_KEPT];
}
