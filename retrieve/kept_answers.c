#include "retrieve/kept_answers.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 32 << 20 }; // of all answers; then they are dropped

struct answer {
    size_t len;
    char text[];
};

void kept_answers_release(struct kept_answers *kept)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    while (map_next(&kept->by_question, &at, &key, &value))
        free(value);
    map_release(&kept->by_question);
    *kept = (struct kept_answers){0};
}

bool kept_answers_put(const struct kept_answers *kept,
                      const struct hash *question, struct buf *out)
{
    const struct answer *answer = map_find(&kept->by_question, question);

    if (answer != NULL)
        buf_append(out, answer->text, answer->len);
    return answer != NULL;
}

void kept_answers_add(struct kept_answers *kept, const struct hash *question,
                      const char *text, size_t len)
{
    struct answer *answer = NULL;

    if (len > MOST_BYTES / 4)
        return;
    if (kept->bytes + len > MOST_BYTES)
        kept_answers_release(kept);
    answer = malloc(sizeof *answer + len);
    if (answer == NULL)
        return;
    answer->len = len;
    memcpy(answer->text, text, len);
    if (map_put(&kept->by_question, question, answer))
        kept->bytes += len;
    else
        free(answer);
}
