#include <string.h>

#include <criterion/criterion.h>

#include "program/graph/plan.h"
#include "program/source/yaml.h"

// sort <- facts <- write, and mood, which is separate.
static const char pipeline[] =
    "inputs: {q: }\n"
    "steps:\n"
    "  sort: {predict: Sort., inputs: [q], outputs: {kind: , sure: }}\n"
    "  facts: {compose: {kind: sort.kind, q: q}}\n"
    "  write: {chain_of_thought: W., inputs: [facts], outputs: {text: }}\n"
    "  mood: {predict: M., inputs: [q], outputs: {mood: }}\n"
    "outputs: {kind: sort.kind, text: write.text, mood: mood.mood, q: q}\n";

static struct program *program;

static void open_program(void)
{
    struct arena arena = ARENA_INIT(16 << 20);
    struct err err = ERR_CLEAR;
    struct diags *diags = diags_new(&err);

    cr_assert_not_null(diags, "%s", err.text);
    program = program_parse(
        yaml_parse(&arena, "f", pipeline, sizeof pipeline - 1, diags), diags);
    cr_assert(diags_ok(diags, &err), "%s", err.text);
    diags_free(diags);
    arena_release(&arena);
}

static void close_program(void)
{
    program_free(program);
}

TestSuite(plan, .init = open_program, .fini = close_program);

Test(plan, omits_steps_the_metric_does_not_need)
{
    const bool reads[4] = {true, false, false, false};
    struct plan plan;

    plan_make(program, reads, &plan);
    cr_expect(plan.runs[0]);
    cr_expect_not(plan.runs[1]);
    cr_expect_not(plan.runs[2]);
    cr_expect_not(plan.runs[3]);
    cr_expect_eq(plan.reads[0], 1);
}

Test(plan, runs_everything_a_needed_step_reads)
{
    const bool reads[4] = {false, true, false, false};
    struct plan plan;

    plan_make(program, reads, &plan);
    cr_expect(plan.runs[0] && plan.runs[1] && plan.runs[2]);
    cr_expect_not(plan.runs[3]);
    cr_expect_eq(plan.reads[0], 1, "nobody reads `sure`");
    cr_expect_eq(plan.reads[2], 2, "`reasoning` is not read, `text` is");
}

Test(plan, runs_nothing_for_an_input)
{
    const bool reads[4] = {false, false, false, true};
    struct plan plan;

    plan_make(program, reads, &plan);
    for (size_t i = 0; i < program->n_steps; i++)
        cr_expect_not(plan.runs[i]);
}

Test(plan, runs_every_step_if_all_outputs_are_read)
{
    struct plan plan;

    plan_all(program, &plan);
    for (size_t i = 0; i < program->n_steps; i++)
        cr_expect(plan.runs[i]);
    cr_expect_eq(plan.reads[0], 1);
    cr_expect_eq(plan.reads[3], 1);
}
