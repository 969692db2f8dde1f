// try: runs a message of the user on the best program of a job so far.
//
// The program of a job that has ended is its compiled file. For a job that is
// running, or has no such file, it is made from what the store has: the job in
// canonical form, and the prompts of its best candidate. Its steps run here,
// one call after the other. Each call goes through the coordinator (`ask`), and
// so to a worker that has the model. Nothing of it is stored.

#include "web/parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/plan.h"
#include "program/job/job.h"
#include "program/prompt/prompt.h"
#include "program/run/compiled.h"
#include "program/run/stepper.h"
#include "program/source/diag.h"
#include "retrieve/nearest.h"
#include "store/lookup.h"

enum { CALL_PATIENCE_MS = 130000 }; // longer than coordinator/side_call.h waits

#define BEST_PATH "the best program so far"

// --- the program ---

// Makes a job from its canonical form. Its data files are not needed, so they
// are empty.
static struct job *job_of(const json_t *canonical, struct err *err)
{
    const json_t *data = json_object_get(canonical, "data");
    char *text = json_text(canonical);
    struct bundle *bundle = bundle_new("job.json", err);
    struct diags *diags = diags_new(err);
    struct job *job = NULL;
    bool ok = text != NULL && bundle != NULL && diags != NULL &&
              bundle_add(bundle, "job.json", text, strlen(text), err);
    const char *key;
    json_t *name;

    json_object_foreach((json_t *)data, key, name) {
        if (json_is_string(name) && strcmp(key, "stratify") != 0)
            ok = ok && bundle_add(bundle, json_string_value(name), "", 0, err);
    }
    if (ok)
        job = job_load(bundle, NULL, 0, diags);
    if (job == NULL && err->code == ERR_NONE)
        (void)diags_ok(diags, err);
    diags_free(diags);
    bundle_free(bundle);
    free(text);
    return job;
}

static bool set_demos(struct candidate *candidate, size_t at, int no,
                      const json_t *given, struct err *err)
{
    size_t n = json_array_size(given);
    struct demo *demos = calloc(n + 1, sizeof *demos);
    bool ok;

    if (demos == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        demos[i] = (struct demo){.fields = json_array_get(given, i), .row = -1};
    ok = candidate_set_demos(candidate, at, no, demos, n, err);
    free(demos);
    return ok;
}

static bool set_part(struct candidate *candidate, const struct program *program,
                     const json_t *part, struct err *err)
{
    const char *name = json_get_text(part, "step", "");

    for (size_t s = 0; s < program->n_steps; s++) {
        const struct step *step = &program->steps[s];

        if (step->predictor < 0 || strcmp(step->name, name) != 0)
            continue;
        return candidate_set_instruction(
                   candidate, (size_t)step->predictor,
                   (int)json_get_int(part, "instruction_number", 0),
                   json_get_text(part, "instruction", ""), err) &&
               set_demos(candidate, (size_t)step->predictor,
                         (int)json_get_int(part, "demo_set_number", 0),
                         json_object_get(part, "demos"), err);
    }
    return true;
}

// Makes a candidate from what the store says of it, as answered by lookup.
static struct candidate *candidate_of(const struct program *program,
                                      const json_t *found, struct err *err)
{
    struct candidate *candidate = candidate_new(program, err);
    const json_t *parts = json_object_get(found, "parts");
    bool ok = candidate != NULL;
    const char *name;
    json_t *value;

    for (size_t i = 0; ok && i < json_array_size(parts); i++)
        ok = set_part(candidate, program, json_array_get(parts, i), err);
    json_object_foreach(json_object_get(found, "tuned"), name, value) {
        ok = ok && candidate_set_value(candidate, name, value, err);
    }
    if (ok) {
        candidate_seal(candidate);
        return candidate;
    }
    candidate_unref(candidate);
    return NULL;
}

// Writes a compiled file, which says all that a run needs.
static char *write_compiled(const json_t *summary, const json_t *found,
                            struct err *err)
{
    struct job *job = job_of(json_object_get(summary, "canonical"), err);
    struct candidate *candidate =
        job == NULL ? NULL : candidate_of(job->program, found, err);
    const json_t *models = json_object_get(summary, "models");
    struct compiled_facts facts = {
        .job_id = json_get_text(summary, "job", ""),
        .optimizer = job == NULL ? "" : job->optimizer,
        .simulated = json_get_bool(summary, "simulated", false)};
    struct buf text = BUF_INIT(64 << 20);
    struct plan plan;
    bool ok = false;

    for (int role = 0; role < ROLE_COUNT; role++)
        facts.digests[role] = "";
    for (size_t i = 0; i < json_array_size(models); i++)
        for (int role = 0; role < ROLE_COUNT; role++)
            if (strcmp(json_get_text(json_array_get(models, i), "role", ""),
                       role_names[role]) == 0)
                facts.digests[role] =
                    json_get_text(json_array_get(models, i), "digest", "");
    if (candidate != NULL) {
        plan_all(job->program, &plan);
        facts.plan = &plan;
        ok = compiled_write(job, candidate, &facts, &text, err);
    }
    candidate_unref(candidate);
    job_free(job);
    if (!ok) {
        buf_release(&text);
        return NULL;
    }
    return buf_take(&text);
}

static char *made_of_store(struct store *store, const json_t *summary,
                           struct err *err)
{
    json_t *best = lookup_answer(store, "candidate",
                                 json_get_text(summary, "job", ""), NULL, err);
    char *text = best == NULL ? NULL : write_compiled(summary, best, err);

    json_decref(best);
    return text;
}

static char *read_compiled(struct store *store, const char *job,
                           struct err *err)
{
    json_t *summary = lookup_answer(store, "summary", job, NULL, err);
    json_t *found = NULL;
    char *text = NULL;

    if (summary == NULL)
        return NULL;
    if (strcmp(json_get_text(summary, "state", ""), "running") != 0 &&
        json_get_bool(summary, "compiled", false))
        found = lookup_answer(store, "export",
                              json_get_text(summary, "job", ""), NULL, err);
    if (json_is_string(json_object_get(found, "compiled")))
        text = strdup(json_get_text(found, "compiled", ""));
    else
        text = made_of_store(store, summary, err);
    json_decref(found);
    json_decref(summary);
    return text;
}

char *web_compiled(struct web *web, const char *job, struct err *err)
{
    struct store *store = readers_take(web->readers, err);
    char *text;

    if (store == NULL)
        return NULL;
    text = read_compiled(store, job, err);
    readers_give(web->readers, store);
    return text;
}

static struct compiled *read_program(struct web *web, const char *job,
                                     struct err *err)
{
    char *text = web_compiled(web, job, err);
    struct compiled *compiled =
        text == NULL ? NULL : compiled_read(BEST_PATH, text, strlen(text), err);

    free(text);
    return compiled;
}

// --- the calls ---

struct attempt {
    struct web *web;
    const struct compiled *compiled;
    struct plan plan;
    void *session;
    struct stepper *stepper;
    json_t *calls; // what was asked and answered, for people
};

static json_t *request_json(const struct attempt *attempt,
                            const struct ask *ask, const struct buf *prefix,
                            const struct buf *format)
{
    const struct compiled *compiled = attempt->compiled;
    const struct call_options *options = &compiled->settings.options;
    json_t *request = json_pack(
        "{s:s, s:s, s:s%, s:s%, s:{s:i, s:i, s:f, s:i}}", "model",
        compiled->model, "digest", compiled->digest, "prefix", prefix->data,
        prefix->len, "tail", ask->payload, ask->payload_len, "options",
        "num_ctx", options->num_ctx, "num_predict", options->num_predict,
        "temperature", options->temperature, "seed", 0);

    if (request != NULL && format->len > 0)
        (void)json_object_set_new(request, "format", json_string(format->data));
    return request;
}

static void note_call(struct attempt *attempt, const struct ask *ask,
                      const struct buf *prefix, const json_t *reply)
{
    struct buf messages = BUF_INIT(2 * PROMPT_MAX_BYTES);
    struct err ignored = ERR_CLEAR;
    json_t *sent = NULL;

    buf_append(&messages, prefix->data, prefix->len);
    buf_append(&messages, ask->payload, ask->payload_len);
    if (!messages.failed)
        sent = json_parse(messages.data, messages.len, messages.len, &ignored);
    (void)json_array_append_new(
        attempt->calls,
        json_pack("{s:s, s:o, s:O, s:O, s:O, s:O}", "step",
                  attempt->compiled->program->steps[ask->part].name, "messages",
                  sent == NULL ? json_null() : sent, "reply",
                  json_object_get(reply, "text"), "prompt_tokens",
                  json_object_get(reply, "prompt_tokens"), "generated_tokens",
                  json_object_get(reply, "generated_tokens"), "total_us",
                  json_object_get(reply, "total_us")));
    buf_release(&messages);
}

static bool take_reply(struct attempt *attempt, const struct ask *ask,
                       const json_t *reply, struct err *err)
{
    const char *text = json_get_text(reply, "text", "");
    struct call_answer answer = {
        .outcome = (enum call_outcome)json_get_int(reply, "outcome", 0),
        .text = (char *)text,
        .text_len = strlen(text),
        .cached_tokens = -1};

    return stepper_answer(attempt->stepper, ask->part, &answer, err);
}

static bool ask_worker(struct attempt *attempt, const struct ask *ask,
                       const struct buf *prefix, const struct buf *format,
                       struct err *err)
{
    const struct web_commands *commands = &attempt->web->commands;
    json_t *request = request_json(attempt, ask, prefix, format);
    char *text = json_text(request);
    json_t *reply = NULL;
    bool ok = false;

    if (text == NULL)
        err_nomem(err, "a call");
    else
        reply = commands->ask(attempt->session, "ask", "", text,
                              CALL_PATIENCE_MS, err);
    if (reply != NULL) {
        note_call(attempt, ask, prefix, reply);
        ok = take_reply(attempt, ask, reply, err);
    }
    json_decref(reply);
    json_decref(request);
    free(text);
    return ok;
}

static bool answer_ask(struct attempt *attempt, const struct ask *ask,
                       struct err *err)
{
    const struct compiled *compiled = attempt->compiled;
    const struct step *step = &compiled->program->steps[ask->part];
    struct buf prefix = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf format = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok = false;
    const struct candidate_part *part;

    if (ask->answerer != ANSWERER_MODEL)
        err_set(err, ERR_INPUT,
                "step `%.60s` %s, which is not possible from here: export the "
                "file, and use `promptcc predict`",
                step->name,
                step->search != NULL ? "searches documents"
                                     : "runs a program of its own");
    else {
        part = &compiled->candidate->parts[step->predictor];
        ok = prompt_prefix(step, part, compiled->settings.adapter, &prefix,
                           err) &&
             (part->nearest == 0 ||
              nearest_put_once(compiled->program,
                               &(struct nearest_pool){
                                   step, part, compiled->settings.adapter, -1},
                               stepper_step_inputs(attempt->stepper, ask->part),
                               &prefix, err)) &&
             prompt_format(step, ask->form, &format, err) &&
             ask_worker(attempt, ask, &prefix, &format, err);
    }
    buf_release(&prefix);
    buf_release(&format);
    return ok;
}

static bool run_steps(struct attempt *attempt, struct err *err)
{
    struct ask ask;

    while (stepper_next(attempt->stepper, &ask, err))
        if (!answer_ask(attempt, &ask, err))
            return false;
    return err->code == ERR_NONE;
}

// Returns the outcome: outputs, or which step gave none and why.
static json_t *result_of(const struct attempt *attempt)
{
    enum run_outcome outcome = stepper_outcome(attempt->stepper);
    int step = stepper_failed_step(attempt->stepper);
    const json_t *outputs = stepper_outputs(attempt->stepper);

    return json_pack(
        "{s:s, s:O?, s:s?, s:s, s:O}", "outcome", run_outcome_name(outcome),
        "outputs", outcome == RUN_DONE ? (json_t *)outputs : NULL,
        "failed_step",
        step < 0 ? NULL : attempt->compiled->program->steps[step].name,
        "problem", stepper_problem(attempt->stepper), "calls", attempt->calls);
}

static json_t *run_attempt(struct attempt *attempt, const json_t *inputs,
                           struct err *err)
{
    const struct compiled *compiled = attempt->compiled;
    json_t *values = program_inputs(compiled->program, inputs, err);
    json_t *result = NULL;

    plan_all(compiled->program, &attempt->plan);
    if (values != NULL)
        attempt->stepper = stepper_new(
            compiled->program, &attempt->plan, compiled->settings.adapter,
            compiled->candidate->values, values, err);
    if (attempt->stepper != NULL && run_steps(attempt, err))
        result = result_of(attempt);
    stepper_free(attempt->stepper);
    json_decref(values);
    return result;
}

json_t *web_try(struct web *web, const char *job, const json_t *inputs,
                struct err *err)
{
    struct compiled *compiled = read_program(web, job, err);
    struct attempt attempt = {
        .web = web, .compiled = compiled, .calls = json_array()};
    json_t *result = NULL;

    if (compiled != NULL)
        attempt.session = web->commands.open(web->commands.user, err);
    if (attempt.session != NULL) {
        result = run_attempt(&attempt, inputs, err);
        web->commands.close(attempt.session);
    }
    json_decref(attempt.calls);
    compiled_free(compiled);
    return result;
}
