#include "search/toolkit/sayings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/toolkit/concern.h"

void sayings_release(struct sayings *sayings)
{
    free(sayings->held);
    free(sayings->about);
    free(sayings->share);
    free(sayings->voices);
    *sayings = (struct sayings){0};
}

static bool grow(struct sayings *sayings, size_t n, size_t n_texts)
{
    bool *held = realloc(sayings->held, n_texts * n + 1);
    bool *about = NULL;
    double *share = NULL, *voices = NULL;

    if (held != NULL)
        sayings->held = held;
    about = realloc(sayings->about, n * sayings->n_rows + 1);
    if (about != NULL)
        sayings->about = about;
    share = realloc(sayings->share, (n + 1) * sizeof *share);
    if (share != NULL)
        sayings->share = share;
    voices = realloc(sayings->voices, (n_texts + 1) * sizeof *voices);
    if (voices != NULL)
        sayings->voices = voices;
    return held != NULL && about != NULL && share != NULL && voices != NULL;
}

static bool note_about(struct sayings *sayings, size_t saying,
                       const struct corpus *corpus, size_t part,
                       const char *sentence, struct err *err)
{
    bool *about = sayings->about + saying * sayings->n_rows;
    size_t n = 0;

    if (!concern_read(corpus, part, sentence, about, err))
        return false;
    for (size_t i = 0; i < sayings->n_rows; i++)
        n += about[i];
    sayings->share[saying] =
        sayings->n_rows == 0 ? 0 : (double)n / (double)sayings->n_rows;
    return true;
}

double sayings_voices(const struct sayings *sayings, size_t text, size_t place)
{
    size_t held = 0;

    for (size_t i = 0; i < sayings->n; i++)
        held += sayings->held[text * sayings->n + i] &&
                sayings->about[i * sayings->n_rows + place];
    return log2(1 + (double)held);
}

static void read_text(struct sayings *sayings, const struct space_part *from,
                      size_t text)
{
    double sum = 0;

    for (size_t i = 0; i < sayings->n; i++)
        sayings->held[text * sayings->n + i] =
            strstr(from->texts[text].text, from->sayings[i]) != NULL;
    for (size_t r = 0; r < sayings->n_rows; r++)
        sum += sayings_voices(sayings, text, r);
    sayings->voices[text] = sum / fmax(1, (double)sayings->n_rows);
}

bool sayings_read(struct sayings *sayings, const struct space *space,
                  const struct corpus *corpus, size_t part, struct err *err)
{
    const struct space_part *from = &space->parts[part];
    bool ok;

    sayings->n_rows = corpus->rows.n;
    ok = grow(sayings, from->n_sayings, from->n_texts);
    if (!ok)
        err_nomem(err, "what the teacher said");
    for (size_t i = sayings->n; ok && i < from->n_sayings; i++)
        ok = note_about(sayings, i, corpus, part, from->sayings[i], err);
    if (!ok)
        return false;
    sayings->n = from->n_sayings;
    for (size_t t = 0; t < from->n_texts; t++)
        read_text(sayings, from, t);
    return true;
}
