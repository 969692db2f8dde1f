#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/program.h"
#include "program/source/yaml.h"

static const char pipeline[] =
    "inputs: {q: {desc: A question}, context: {default: none}, "
    "n: {type: int, optional: true}}\n"
    "steps:\n"
    "  write:\n"
    "    chain_of_thought: Write.\n"
    "    inputs: {facts: facts, context: }\n"
    "    outputs: {text: {max_length: 9}}\n"
    "  facts: {compose: {question: q, kind: sort.kind}}\n"
    "  sort: {predict: Sort., inputs: [q], outputs: "
    "{kind: {enum: [a, b]}, sure: float}}\n"
    "outputs: {kind: sort.kind, text: write.text, facts: facts, q: q}\n";

static struct arena arena;
static struct diags *diags;
static struct program *program;
static struct err err;

static void open_program(void)
{
    err = ERR_CLEAR;
    arena = ARENA_INIT(16 << 20);
    diags = diags_new(&err);
    cr_assert_not_null(diags, "%s", err.text);
}

static void close_program(void)
{
    program_free(program);
    diags_free(diags);
    arena_release(&arena);
}

TestSuite(program, .init = open_program, .fini = close_program);

static struct program *parse(const char *text)
{
    const struct node *root =
        yaml_parse(&arena, "job.yaml", text, strlen(text), diags);

    cr_assert_not_null(root);
    return program_parse(root, diags);
}

static void parse_pipeline(void)
{
    program = parse(pipeline);
    cr_assert_not_null(program, "%s",
                       diags->n > 0 ? diags->items[0].text : "no finding");
}

Test(program, orders_steps_by_what_they_read)
{
    parse_pipeline();
    cr_assert_eq(program->n_steps, 3);
    cr_expect_eq(program->order[0], 2);
    cr_expect_eq(program->order[1], 1);
    cr_expect_eq(program->order[2], 0);
}

Test(program, numbers_predictors_in_file_order)
{
    parse_pipeline();
    cr_assert_eq(program->n_predictors, 2);
    cr_expect_str_eq(program_predictor(program, 0)->name, "write");
    cr_expect_str_eq(program_predictor(program, 1)->name, "sort");
    cr_expect_eq(program->steps[1].predictor, -1);
}

Test(program, gives_a_chain_of_thought_its_reasoning_first)
{
    parse_pipeline();
    const struct signature *write = &program->steps[0].signature;

    cr_assert_eq(write->n_outputs, 2);
    cr_expect_str_eq(write->outputs[0].name, "reasoning");
    cr_expect_str_eq(write->outputs[1].name, "text");
}

Test(program, gives_step_inputs_the_type_of_their_source)
{
    parse_pipeline();
    const struct field *facts = &program->steps[0].signature.inputs[0];

    cr_expect_eq(facts->type.kind, TYPE_OBJECT);
    cr_assert_eq(facts->type.n_members, 2);
    cr_expect_str_eq(facts->type.members[1].name, "kind");
    cr_expect_eq(facts->type.members[1].type.n_labels, 2);
    cr_expect_str_eq(program->steps[2].signature.inputs[0].desc, "A question");
}

Test(program, round_trips_through_json)
{
    parse_pipeline();
    json_t *json = program_json(program);
    char *text = json_text(json);
    struct program *again = parse(text);

    cr_assert_not_null(again, "%s", text);
    json_t *of_again = program_json(again);
    cr_expect(json_equal(json, of_again));
    free(text);
    json_decref(json);
    json_decref(of_again);
    program_free(again);
}

Test(program, returns_the_fields_of_its_last_step_by_default)
{
    program = parse("inputs: {q: }\nsteps:\n"
                    "  a: {predict: A., inputs: [q], outputs: {x: }}\n"
                    "  b: {chain_of_thought: B., inputs: {x: a.x}, "
                    "outputs: {y: , z: }}\n");
    cr_assert_not_null(program);
    cr_assert_eq(program->n_outputs, 2);
    cr_expect_str_eq(program->outputs[0].name, "y");
    cr_expect_eq(program->outputs[0].source.field, 1);
    cr_expect_str_eq(program->outputs[1].name, "z");
}

Test(program, warns_of_a_step_that_no_output_needs)
{
    program = parse("inputs: {q: }\nsteps:\n"
                    "  a: {predict: A., inputs: [q], outputs: {x: }}\n"
                    "  b: {predict: B., inputs: {x: a.x}, outputs: {y: }}\n"
                    "  c: {predict: C., inputs: [q], outputs: {z: }}\n"
                    "outputs: {z: c.z}\n");
    cr_assert_not_null(program);
    cr_assert_eq(diags->n, 2);
    cr_expect_eq(diags->items[0].level, DIAG_WARNING);
    cr_expect_eq(diags->items[0].place.line, 3);
    cr_expect_str_eq(diags->items[1].text,
                     "no output of the program depends on step `b`");
}

Test(program, warns_of_a_step_that_waits_for_a_null_that_never_comes)
{
    program =
        parse("inputs: {q: , o: {optional: true}}\nsteps:\n"
              "  a: {predict: A., inputs: [q], outputs: {x: }}\n"
              "  b: {predict: B., inputs: [q], when: {a.x: null},\n"
              "      outputs: {y: }}\n"
              "  c: {predict: C., inputs: [q], when: {o: null, b.y: null},"
              " outputs: {z: }}\n"
              "outputs: {y: b.y, z: c.z}\n");
    cr_assert_not_null(program);
    cr_assert_eq(diags->n, 1);
    cr_expect_eq(diags->items[0].level, DIAG_WARNING);
    cr_expect_str_eq(diags->items[0].text,
                     "step `b` never runs: what its `when` compares with null "
                     "is never null");
}

Test(program, names_every_cycle)
{
    program = parse("inputs: {q: }\nsteps:\n"
                    "  a: {predict: A., inputs: {y: b.y}, outputs: {x: }}\n"
                    "  b: {predict: B., inputs: {x: a.x}, outputs: {y: }}\n"
                    "  c: {predict: C., inputs: {e: e.e}, outputs: {c: }}\n"
                    "  d: {predict: D., inputs: {c: c.c}, outputs: {d: }}\n"
                    "  e: {predict: E., inputs: {d: d.d}, outputs: {e: }}\n"
                    "  f: {predict: F., inputs: {d: d.d, q: }, "
                    "outputs: {f: }}\n");
    cr_expect_null(program);
    cr_assert_eq(diags->n, 2);
    cr_expect_str_eq(diags->items[0].text, "steps depend on each other in a "
                                           "cycle: `a` reads `b` reads `a`");
    cr_expect_str_eq(
        diags->items[1].text,
        "steps depend on each other in a cycle: `c` reads `e` reads `d` "
        "reads `c`");
}

Test(program, of_one_step_can_be_made_without_a_file)
{
    parse_pipeline();
    const struct signature *sort = &program->steps[2].signature;
    struct program *single =
        program_single(&(struct single_step){.name = "pick",
                                             .kind = &step_chain_of_thought,
                                             .instruction = "Pick.",
                                             .inputs = sort->inputs,
                                             .n_inputs = sort->n_inputs,
                                             .outputs = sort->outputs,
                                             .n_outputs = sort->n_outputs},
                       &err);

    cr_assert_not_null(single, "%s", err.text);
    program_free(program); // the copy shares nothing with it
    program = NULL;
    cr_expect_eq(single->n_predictors, 1);
    cr_expect_str_eq(single->outputs[1].name, "sure");
    cr_expect_eq(single->outputs[1].source.field, 2);
    cr_expect_str_eq(single->steps[0].signature.inputs[0].name, "q");
    program_free(single);
}

Test(program, names_predictors_as_dspy_does)
{
    struct buf out = BUF_INIT(64);

    parse_pipeline();
    predictor_dspy_name(&program->steps[0], &out);
    buf_putc(&out, ' ');
    predictor_dspy_name(&program->steps[2], &out);
    cr_expect_str_eq(out.data, "write.predict sort");
    buf_release(&out);
}

Test(program, finds_labels_under_output_names_and_step_fields)
{
    parse_pipeline();
    json_t *example = json_pack("{s:s, s:f}", "kind", "a", "sort.sure", 0.5);

    cr_assert_not_null(example);
    cr_expect_str_eq(json_string_value(program_label(program, example, 2, 0)),
                     "a");
    cr_expect_float_eq(json_real_value(program_label(program, example, 2, 1)),
                       0.5, 0);
    cr_expect_null(program_label(program, example, 0, 0));
    json_decref(example);
}

Test(program, fills_the_defaults_of_inputs)
{
    parse_pipeline();
    json_t *given = json_pack("{s:s, s:i}", "q", "why", "other", 1);
    json_t *inputs = program_inputs(program, given, &err);
    json_t *want =
        json_pack("{s:s, s:s, s:n}", "q", "why", "context", "none", "n");

    cr_assert_not_null(inputs, "%s", err.text);
    cr_expect(json_equal(inputs, want));
    json_decref(given);
    json_decref(inputs);
    json_decref(want);
}

Test(program, refuses_missing_or_wrong_inputs)
{
    parse_pipeline();
    json_t *none = json_object();
    json_t *wrong = json_pack("{s:s, s:s}", "q", "why", "n", "three");

    cr_expect_null(program_inputs(program, none, &err));
    cr_expect_str_eq(err.text, "the input `q` is missing");
    cr_expect_null(program_inputs(program, wrong, &err));
    cr_expect_str_eq(err.text, "`n` is \"three\", not a whole number");
    json_decref(none);
    json_decref(wrong);
}
