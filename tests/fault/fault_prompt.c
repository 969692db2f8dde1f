#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fault/alloc_fault.h"
#include "program/prompt/reply.h"
#include "program/run/compiled.h"
#include "program/run/ensemble.h"
#include "program/run/stepper.h"
#include "unit/given_program.h"

static struct program *program;
static struct plan plan;
static json_t *inputs;

static void open_program(void)
{
    program = given_program(given_customer_care);
    plan_all(program, &plan);
    inputs = given_json(
        "{\"user_message\": \"Where is 17?\", \"policy_context\": \"\"}");
}

static void close_program(void)
{
    json_decref(inputs);
    program_free(program);
}

TestSuite(fault, .init = open_program, .fini = close_program);

static bool render(struct err *err)
{
    const struct step *step = &program->steps[GIVEN_CLASSIFY];
    struct buf prompt = BUF_INIT(PROMPT_MAX_BYTES);
    struct candidate *candidate = candidate_new(program, err);
    struct candidate *copy = NULL;
    bool ok = false;

    if (candidate == NULL)
        goto out;
    copy = candidate_copy(candidate, err);
    if (copy == NULL)
        goto out;
    candidate_seal(copy);
    ok = prompt_prefix(step, &copy->parts[0], ADAPTER_JSON, &prompt, err) &&
         prompt_repair(step, inputs, &prompt, err) &&
         prompt_format(step, ADAPTER_JSON, &prompt, err);

out:
    candidate_unref(copy);
    candidate_unref(candidate);
    buf_release(&prompt);
    return ok;
}

Test(fault, prompt_is_complete_or_reports_out_of_memory)
{
    cr_expect_geq(fault_each(render), 10);
}

static bool read_reply(const char *text, struct err *err)
{
    json_t *outputs = NULL;
    unsigned lenient = 0;
    const struct reply_asked asked = {.step = &program->steps[GIVEN_CLASSIFY],
                                      .adapter = ADAPTER_CHAT,
                                      .reads = UINT64_MAX};
    bool ok = reply_parse(&asked, (struct span){text, strlen(text)}, &outputs,
                          &lenient, err);

    json_decref(outputs);
    return ok;
}

static bool read_marked(struct err *err)
{
    return read_reply("[[ ## intent ## ]]\nTrack Order.\n"
                      "[[ ## confidence ## ]]\nabout 0.5",
                      err);
}

static bool read_fenced(struct err *err)
{
    return read_reply("```\n{\"intent\": \"track_order\", "
                      "\"confidence\": \"0.5\"}\n```",
                      err);
}

static bool read_mended(struct err *err)
{
    return read_reply("Sure: {'note': [1, {x: None}], 'intent': "
                      "'Track\xC2\xA0Order', 'confidence': .5",
                      err);
}

Test(fault, reply_out_of_memory_is_not_a_bad_reply)
{
    cr_expect_geq(fault_each(read_mended), 10);
    cr_expect_geq(fault_each(read_marked), 5);
    cr_expect_geq(fault_each(read_fenced), 5);
}

static bool answer(struct stepper *stepper, int step, const char *text,
                   struct err *err)
{
    struct call_answer given = {
        .outcome = CALL_TEXT, .text = (char *)text, .text_len = strlen(text)};

    return stepper_answer(stepper, step, &given, err);
}

// Runs a program whose two steps are asked at the same time; one of them needs
// a repair.
static bool take_run(struct stepper *stepper, struct err *err)
{
    struct ask ask;

    return stepper_next(stepper, &ask, err) &&
           stepper_next(stepper, &ask, err) &&
           answer(stepper, GIVEN_CLASSIFY, "nothing", err) &&
           stepper_next(stepper, &ask, err) &&
           answer(stepper, GIVEN_CLASSIFY,
                  "[[ ## intent ## ]]\ntrack_order\n"
                  "[[ ## confidence ## ]]\n0.5",
                  err) &&
           answer(stepper, GIVEN_EXTRACT,
                  "[[ ## order_id ## ]]\n17\n[[ ## issue ## ]]\nlate", err) &&
           stepper_next(stepper, &ask, err) &&
           answer(stepper, GIVEN_RESPOND,
                  "[[ ## reasoning ## ]]\nr\n[[ ## response ## ]]\nSoon.",
                  err) &&
           stepper_ended(stepper);
}

static bool run(struct err *err)
{
    struct stepper *stepper =
        stepper_new(program, &plan, ADAPTER_CHAT, NULL, inputs, err);
    bool ok = stepper != NULL && take_run(stepper, err);

    stepper_free(stepper);
    return ok;
}

Test(fault, run_out_of_memory_is_not_a_failed_run)
{
    cr_expect_geq(fault_each(run), 20);
}

static bool compile(struct err *err)
{
    struct job job = {.name = "care", .program = program};
    struct compiled_facts facts = {.job_id = "care-1", .plan = &plan};
    struct buf text = BUF_INIT(1 << 20);
    struct compiled *compiled = NULL;
    struct candidate *candidate = candidate_new(program, err);
    bool ok = false;

    for (int i = 0; i < ROLE_COUNT; i++)
        job.models[i] = (struct job_model){
            .name = "m", .options = {.num_ctx = 4096, .num_predict = 1}};
    if (candidate == NULL ||
        !compiled_write(&job, candidate, &facts, &text, err))
        goto out;
    compiled = compiled_read("compiled.json", text.data, text.len, err);
    ok = compiled != NULL;

out:
    compiled_free(compiled);
    candidate_unref(candidate);
    buf_release(&text);
    return ok;
}

Test(fault, compiled_file_io_succeeds_or_reports_out_of_memory)
{
    cr_expect_geq(fault_each(compile), 100);
}

static struct compiled *members[2];

// Makes small members, since every allocation of the scenario costs a run.
static void make_members(void)
{
    struct program *small =
        given_program("inputs: {text: }\n"
                      "steps: {sort: {predict: Sort., inputs: [text], outputs: "
                      "{label: }}}\n");
    struct job job = {.name = "care", .program = small};
    struct compiled_facts facts = {.job_id = "care-1"};
    struct err err = ERR_CLEAR;
    struct buf text = BUF_INIT(1 << 20);
    struct candidate *candidate = candidate_new(small, &err);

    for (int i = 0; i < ROLE_COUNT; i++)
        job.models[i] = (struct job_model){
            .name = "m", .options = {.num_ctx = 4096, .num_predict = 1}};
    cr_assert(compiled_write(&job, candidate, &facts, &text, &err), "%s",
              err.text);
    for (int i = 0; i < 2; i++) {
        members[i] = compiled_read("compiled.json", text.data, text.len, &err);
        cr_assert_not_null(members[i], "%s", err.text);
    }
    candidate_unref(candidate);
    program_free(small);
    buf_release(&text);
}

static bool ensemble(struct err *err)
{
    const struct ensemble_member given[2] = {{"a.json", members[0]},
                                             {"b.json", members[1]}};
    const struct ensemble_options options = {.reduce = ENSEMBLE_MAJORITY};
    struct buf text = BUF_INIT(1 << 20);
    bool ok = ensemble_write(given, 2, &options, &text, err);

    buf_release(&text);
    return ok;
}

Test(fault, ensemble_is_complete_or_reports_out_of_memory)
{
    make_members();
    cr_expect_geq(fault_each(ensemble), 100);
    for (int i = 0; i < 2; i++)
        compiled_free(members[i]);
}
