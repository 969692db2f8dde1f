#include "search/toolkit/proposer.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"
#include "program/source/yaml.h"
#include "search/toolkit/data_summary.h"
#include "search/toolkit/shown.h"

static struct err err;

// --- proposals

static const struct proposer_options all = {
    .n = 6,
    .temperature = 1,
    .program_aware = true,
    .data_aware = true,
    .tip_aware = true,
    .fewshot_aware = true,
    .view_data_batch_size = 10,
};

Test(proposer, original_instruction_is_kept_alongside_all_proposals)
{
    struct support support = {.base = 0.5};
    struct session *fake = support_session(&support, 60, 40, FINISH_LATE);
    struct proposals made = {0};

    cr_assert(proposals_make(fake, &all, NULL, 0, &made, &err), "%s", err.text);
    cr_assert_eq(made.lists[0].n, 7);
    cr_expect_str_eq(made.lists[0].texts[0], "Classify the text.");
    cr_expect_str_eq(made.lists[0].texts[1], "Plain variant 0");
    cr_expect_eq(fake->asked_propose, 6, "one call a proposal");
    // Four batches, the summary, the program and the step.
    cr_expect_eq(fake->asked_summary, 7);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, unwanted_parts_are_not_requested)
{
    struct support support = {.base = 0.5};
    struct session *fake = support_session(&support, 60, 40, FINISH_LATE);
    struct proposals made = {0};
    const struct proposer_options none = {.n = 2, .temperature = 1};

    cr_assert(proposals_make(fake, &none, NULL, 0, &made, &err), "%s",
              err.text);
    cr_expect_eq(fake->asked_summary, 0);
    cr_expect_eq(fake->asked_propose, 2);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, failed_call_is_retried_as_another_replicate)
{
    struct support support = {.base = 0.5, .proposal_faults = 3};
    struct session *fake = support_session(&support, 60, 40, FINISH_LATE);
    struct proposals made = {0};

    cr_assert(proposals_make(fake, &all, NULL, 0, &made, &err), "%s", err.text);
    cr_expect_eq(made.lists[0].n, 7);
    cr_expect_eq(fake->asked_propose, 24);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, proposals_that_never_come_are_dropped_and_noted)
{
    struct support support = {.base = 0.5, .silent_proposals = true};
    struct session *fake = support_session(&support, 60, 40, FINISH_LATE);
    struct proposals made = {0};

    cr_assert(proposals_make(fake, &all, NULL, 0, &made, &err), "%s", err.text);
    cr_expect_eq(made.lists[0].n, 1);
    cr_expect_eq(fake->asked_propose, 24);
    cr_expect_not_null(strstr(fake->notes, "0 of 6 proposed"), "%s",
                       fake->notes);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, program_is_described_by_its_steps)
{
    static const char yaml[] =
        "inputs: {text: {desc: A text}}\n"
        "steps:\n"
        "  sort: {predict: Sort it., inputs: [text],\n"
        "         outputs: {label: {enum: [a, b]}}}\n"
        "  all: {compose: {label: sort.label, source: text}}\n"
        "  say: {predict: Say it., inputs: {what: all, label: sort.label},\n"
        "        outputs: {words: {desc: A sentence}}}\n"
        "outputs: {label: sort.label, words: say.words}\n";
    struct buf text = BUF_INIT(SHOWN_MAX_BYTES);
    struct arena arena = ARENA_INIT(1 << 20);
    struct diags *diags = diags_new(&err);
    struct node *root =
        yaml_parse(&arena, "job.yaml", yaml, strlen(yaml), diags);
    struct program *program = program_parse(root, diags);

    cr_assert_not_null(program);
    shown_program(&text, program);
    cr_expect_str_eq(text.data, "inputs:\n- text: A text\n"
                                "\n## sort (predict)\nSort it.\n"
                                "reads:\n- text\n"
                                "gives:\n- label (one of: a; b)\n"
                                "\n## all (compose)\n"
                                "reads:\n- label <- sort.label\n"
                                "- source <- text\n"
                                "\n## say (predict)\nSay it.\n"
                                "reads:\n- what <- all\n"
                                "- label <- sort.label\n"
                                "gives:\n- words: A sentence\n"
                                "\noutputs:\n- label <- sort.label\n"
                                "- words <- say.words\n");
    program_free(program);
    buf_release(&text);
    diags_free(diags);
    arena_release(&arena);
}

// --- what is shown, and the steps that are not searched

struct watch {
    size_t demos_shown;   // proposals that were shown a demo
    size_t no_demos;      // and those that were not
    size_t tips;          // those that were shown a tip
    const char *observed; // the answer to each batch
};

static json_t *watch_proposal(struct watch *watch, const struct fake_ask *ask)
{
    const char *demos = json_get_text(ask->inputs, "task_demos", "");

    watch->demos_shown += strstr(demos, "text: row") != NULL;
    watch->no_demos += strcmp(demos, "None are given.") == 0;
    watch->tips += json_object_get(ask->inputs, "tip") != NULL;
    return json_pack("{s:s}", "proposed_instruction", "Always the same.");
}

static json_t *answer_watched(void *user, const struct fake_ask *ask)
{
    struct watch *watch = user;
    const char *purpose = ask->sampling->purpose;
    const char *name = ask->step->signature.outputs[0].name;

    if (strcmp(purpose, "propose") == 0)
        return watch_proposal(watch, ask);
    if (strcmp(name, "observations") == 0)
        return json_pack("{s:s}", name, watch->observed);
    if (strcmp(purpose, "summary") == 0)
        return json_pack("{s:s}", name, "told");
    return json_pack("{s:s, s:f}", "label", "a", "confidence", 0.5);
}

static double score_nothing(void *user, const json_t *example,
                            const json_t *outputs)
{
    (void)user;
    (void)example;
    (void)outputs;
    return 0;
}

static struct session *watched_session(struct watch *watch, size_t n_train)
{
    const struct fake_script script = {answer_watched, score_nothing, watch};
    char *examples = support_examples(n_train + 1);
    struct session *fake =
        fake_new(SUPPORT_ONE, examples, n_train, NULL, script, FINISH_LATE);
    free(examples);
    return fake;
}

Test(proposer, equal_proposals_are_one)
{
    struct watch watch = {.observed = "notes"};
    struct session *fake = watched_session(&watch, 20);
    struct proposals made = {0};

    cr_assert(proposals_make(fake, &all, NULL, 0, &made, &err), "%s", err.text);
    cr_expect_eq(made.lists[0].n, 2);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, demos_are_shown_except_for_the_empty_set)
{
    struct watch watch = {.observed = "notes"};
    struct session *fake = watched_session(&watch, 20);
    struct proposals made = {0};
    struct demo_set sets[2] = {0};
    struct demo demo = {.augmented = true, .row = 3};

    demo.fields = json_pack("{s:s, s:s}", "text", "row 3", "label", "b");
    for (int i = 0; i < 2; i++)
        cr_assert(demo_set_init(&sets[i], fake->job.program, &err));
    cr_assert(demo_list_add(&sets[1].lists[0], &demo, &err));
    json_decref(demo.fields);
    cr_assert(proposals_make(fake, &all, sets, 2, &made, &err), "%s", err.text);
    cr_expect_eq(watch.demos_shown, 3);
    cr_expect_eq(watch.no_demos, 3);
    cr_expect_lt(watch.tips, 7);
    demo_set_release(&sets[0]);
    demo_set_release(&sets[1]);
    proposals_release(&made);
    fake_free(fake);
}

Test(proposer, at_most_ten_batches_are_observed)
{
    struct watch watch = {.observed = "notes"};
    struct session *fake = watched_session(&watch, 150);
    char *summary = NULL;

    cr_assert(data_summary(fake, 10, &summary, &err), "%s", err.text);
    cr_expect_str_eq(summary, "told");
    cr_expect_eq(fake->asked_summary, 11);
    free(summary);
    fake_free(fake);
}

Test(proposer, five_complete_replies_end_the_observations)
{
    struct watch watch = {.observed = "Complete."};
    struct session *fake = watched_session(&watch, 150);
    char *summary = NULL;

    cr_assert(data_summary(fake, 10, &summary, &err), "%s", err.text);
    cr_expect_null(summary, "nothing was noted");
    cr_expect_eq(fake->asked_summary, 5);
    free(summary);
    fake_free(fake);
}

Test(proposer, steps_that_the_plan_leaves_out_get_no_proposals)
{
    static const char yaml[] =
        "inputs: {text: {desc: A text}}\n"
        "steps:\n"
        "  one: {predict: First., inputs: [text],\n"
        "        outputs: {label: {enum: [a, b]}, confidence: {type: float}}}\n"
        "  two: {predict: Second., inputs: [text], outputs: {more: {desc: "
        "x}}}\n"
        "outputs: {label: one.label, more: two.more}\n";
    static const char *const reads[] = {"label", NULL};
    struct watch watch = {.observed = "notes"};
    const struct fake_script script = {answer_watched, score_nothing, &watch};
    char *examples = support_examples(21);
    struct session *fake =
        fake_new(yaml, examples, 20, reads, script, FINISH_LATE);
    struct proposals made = {0};

    cr_assert(proposals_make(fake, &all, NULL, 0, &made, &err), "%s", err.text);
    cr_expect_eq(fake->asked_propose, 6);
    cr_expect_eq(made.lists[0].n, 2);
    cr_expect_eq(made.lists[1].n, 1);
    free(examples);
    proposals_release(&made);
    fake_free(fake);
}
