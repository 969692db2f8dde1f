#include "fake_pool.h"

#include <string.h>

#include <criterion/criterion.h>

static struct err err;

static json_t *answer(void *user, const struct fake_ask *ask)
{
    (void)user;
    (void)ask;
    return json_pack("{s:s}", ask->step->signature.outputs[0].name, "x");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    (void)example;
    (void)outputs;
    return 0;
}

void fake_pool_init(struct fake_pool *fake)
{
    static const char yaml[] =
        "inputs: {text: {desc: A text}}\n"
        "steps:\n"
        "  first: {predict: One., inputs: [text], outputs: {a: {desc: x}}}\n"
        "  second: {predict: Two., inputs: [text], outputs: {b: {desc: x}}}\n"
        "outputs: {a: first.a, b: second.b}\n";

    memset(fake, 0, sizeof *fake);
    fake->session =
        fake_new(yaml, "[{\"text\": \"t\"}]", 0, NULL,
                 (struct fake_script){answer, score, NULL}, FINISH_EARLY);
    for (size_t i = 0; i < FAKE_POOL_ROWS; i++)
        fake->rows[i] = i;
}

void fake_pool_release(struct fake_pool *fake)
{
    for (size_t i = 0; i < fake->pool.n; i++)
        candidate_unref(fake->trials[i].candidate);
    pool_release(&fake->pool);
    fake_free(fake->session);
}

static struct candidate *make(struct fake_pool *fake, const char *first,
                              const char *second, int parent)
{
    struct candidate *base =
        parent < 0 ? fake->session->baseline : fake->trials[parent].candidate;
    struct candidate *made = candidate_child(base, &err);

    if (first != NULL)
        cr_assert(candidate_set_instruction(made, 0, 1, first, &err));
    if (second != NULL)
        cr_assert(candidate_set_instruction(made, 1, 1, second, &err));
    candidate_seal(made);
    return made;
}

void fake_pool_add(struct fake_pool *fake, const char *scores,
                   const char *first, const char *second, int parent, int other)
{
    size_t at = fake->pool.n;
    struct trial *trial = &fake->trials[at];
    struct pool_member member = {.trial = trial};
    double sum = 0;

    *trial = (struct trial){.candidate = make(fake, first, second, parent),
                            .rows = fake->rows,
                            .n_rows = strlen(scores),
                            .scored = fake->scored[at],
                            .scores = fake->scores[at],
                            .done = true};
    for (size_t i = 0; i < trial->n_rows; i++) {
        trial->scored[i] = scores[i] != '-';
        if (!trial->scored[i])
            continue;
        trial->scores[i] = scores[i] == 'a' ? 1 : (scores[i] - '0') / 10.0;
        sum += trial->scores[i];
        trial->n++;
    }
    trial->score = trial->n > 0 ? sum / (double)trial->n : 0;
    if (parent >= 0)
        member.parents[member.n_parents++] = (size_t)parent;
    if (other >= 0)
        member.parents[member.n_parents++] = (size_t)other;
    cr_assert(pool_add(&fake->pool, &member, &err));
}
