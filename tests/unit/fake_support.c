#include "fake_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"

static int row_of(const json_t *inputs)
{
    const char *text = json_get_text(inputs, "text", "row -1");
    return atoi(text + 4);
}

// Returns a fixed number in [0, 1) for a row: how hard it is.
static double hardness(int row)
{
    return (double)((row * 37 + 11) % 100) / 100;
}

static const char *label_of(int row)
{
    return row % 2 == 0 ? "a" : "b";
}

static json_t *propose(struct support *support, const struct fake_ask *ask)
{
    char text[80];
    int64_t no = ask->sampling->draw / 4;

    if (support->silent_proposals ||
        ask->sampling->replicate < support->proposal_faults)
        return NULL;
    bool good = support->good_every > 0 && no % support->good_every == 1;
    snprintf(text, sizeof text, "%s variant %lld", good ? "GOOD" : "Plain",
             (long long)no);
    return json_pack("{s:s, s:s}", "proposed_instruction", text,
                     "new_instruction", text);
}

static json_t *tell(const struct fake_ask *ask)
{
    const struct signature *signature = &ask->step->signature;
    return json_pack("{s:s}", signature->outputs[0].name, "Short texts.");
}

static void look(struct support *support, const struct fake_ask *ask)
{
    const char *text = json_get_text(ask->inputs, "text", "");

    if (ask->part->n_demos > support->max_demos)
        support->max_demos = ask->part->n_demos;
    for (size_t i = 0; i < ask->part->n_demos; i++) {
        const char *shown =
            json_get_text(ask->part->demos[i].fields, "text", "?");
        support->saw_itself |= strcmp(shown, text) == 0;
    }
}

static json_t *classify(struct support *support, const struct fake_ask *ask)
{
    int row = row_of(ask->inputs);
    double skill = support->base;

    look(support, ask);
    if (ask->role == ROLE_STUDENT)
        support->student_asked++;
    if (ask->part->n_demos > 0 && row >= support->gain_from)
        skill += support->demo_gain;
    if (strstr(ask->part->instruction, "GOOD") != NULL)
        skill += support->good_gain;
    if (ask->role == ROLE_TEACHER)
        skill = support->teacher;
    return json_pack("{s:s, s:f}", "label",
                     label_of(hardness(row) < skill ? row : row + 1),
                     "confidence", 0.5);
}

static json_t *answer(void *user, const struct fake_ask *ask)
{
    struct support *support = user;
    const char *purpose = ask->sampling->purpose;

    if (strcmp(purpose, "propose") == 0 || strcmp(purpose, "reflect") == 0)
        return propose(support, ask);
    if (strcmp(purpose, "advise") == 0)
        return json_pack("{s:s, s:s}", "discussion", "It went wrong.",
                         "advice_to_classify", "GOOD: look at the number.");
    if (strcmp(purpose, "summary") == 0)
        return tell(ask);
    if (strcmp(purpose, "fill") == 0)
        return support->silent_fill ? NULL
                                    : json_pack("{s:f}", "confidence", 0.75);
    return classify(support, ask);
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    return strcmp(json_get_text(example, "label", "?"),
                  json_get_text(outputs, "label", "!")) == 0;
}

struct fake_script support_script(struct support *support)
{
    return (struct fake_script){answer, score, support};
}

char *support_examples(size_t n)
{
    struct buf out = BUF_INIT(1 << 20);

    buf_putc(&out, '[');
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s{\"text\": \"row %zu\", \"label\": \"%s\"}",
                   i > 0 ? "," : "", i, label_of((int)i));
    buf_putc(&out, ']');
    return buf_take(&out);
}

struct session *support_session(struct support *support, size_t n,
                                size_t n_train, enum fake_finish finish)
{
    char *examples = support_examples(n);
    struct session *fake = fake_new(SUPPORT_ONE, examples, n_train, NULL,
                                    support_script(support), finish);

    free(examples);
    return fake;
}
