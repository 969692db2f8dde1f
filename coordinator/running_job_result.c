#include "coordinator/running_job_result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/error_document.h"
#include "common/json.h"
#include "common/log.h"
#include "common/utf8.h"
#include "coordinator/background.h"
#include "coordinator/job_work.h"
#include "store/calls.h"
#include "store/history.h"

enum { REPLY_BYTES = 400 }; // of a reply that is shown

void running_job_result_release(struct running_job_result *result)
{
    free(result->document);
    free(result->compiled);
    *result = (struct running_job_result){0};
}

static int64_t wall_ms(const struct running_job *running, int64_t now)
{
    bool eval = running->spec.request->action == REQUEST_EVAL;

    return (eval ? 0 : running->past.wall_ms) +
           (job_work_total_paid(&running->work) > 0 ? now - running->started_ms
                                                    : 0);
}

void running_job_save_time(struct running_job *running, int64_t now)
{
    if (job_work_total_paid(&running->work) > 0)
        history_job_time(running->engine->store, running->work.job_no,
                         wall_ms(running, now), NULL);
}

// Sums over all roles.
struct cost {
    json_int_t prompt, cached, generated, hedged, paid;
    bool cached_known;
};

static void name_roles(const char *roles[BILL_COUNT])
{
    for (int i = 0; i < ROLE_COUNT; i++)
        roles[i] = role_names[i];
    roles[BILL_EXEC] = "exec";
}

// A run costs what all its sessions paid. An evaluation costs only what it paid
// itself, since other evaluations of the same job scored other prompts or other
// rows.
void running_job_sum(struct running_job *running, struct store *reader)
{
    const char *roles[BILL_COUNT];
    struct err ignored = ERR_CLEAR;

    name_roles(roles);
    running->bill.judge_noise = -1;
    if (reader != NULL && metric_asks_model(running->spec.job->metric))
        history_judge(reader, running->work.job_no, &running->bill.judge_noise,
                      &running->bill.unjudged, &ignored);
    if (running->spec.request->action != REQUEST_EVAL && reader != NULL) {
        history_costs(reader, running->work.job_no, roles, BILL_COUNT,
                      running->bill.costs, &ignored);
        return;
    }
    for (int i = 0; i < BILL_COUNT; i++)
        running->bill.costs[i].calls = running->work.paid[i];
}

static void add_role(const char *role, const struct history_cost *cost,
                     json_t *calls, struct cost *sum)
{
    json_object_set_new(calls, role, json_integer(cost->calls));
    sum->paid += cost->calls;
    sum->prompt += cost->prompt_tokens;
    sum->cached += cost->cached_tokens;
    sum->generated += cost->generated_tokens;
    sum->hedged += cost->hedged;
    sum->cached_known = sum->cached_known || cost->cached_known;
}

static void add_cost(const struct running_job *running, int64_t now,
                     json_t *document)
{
    json_t *calls = json_object();
    const char *roles[BILL_COUNT];
    struct cost sum = {0};

    if (running->spec.request->action == REQUEST_EVAL) {
        sum.prompt = running->work.prompt_tokens;
        sum.generated = running->work.generated_tokens;
        sum.hedged = running->work.hedges;
    }
    name_roles(roles);
    for (int i = 0; i < BILL_COUNT; i++)
        if (i == BILL_EXEC || running->spec.job->models[i].name != NULL)
            add_role(roles[i], &running->bill.costs[i], calls, &sum);
    json_object_set_new(
        calls, "reused",
        json_integer(job_uses_free_of_cost(&running->work.uses, sum.paid)));
    json_object_set_new(calls, "hedged", json_integer(sum.hedged));
    json_object_set_new(document, "calls", calls);
    json_object_set_new(
        document, "tokens",
        json_pack("{s:I, s:o, s:I}", "prompt", sum.prompt, "prompt_cached",
                  sum.cached_known ? json_integer(sum.cached) : json_null(),
                  "generated", sum.generated));
    json_object_set_new(document, "wall_s",
                        json_real((double)wall_ms(running, now) / 1000.0));
}

static void add_judge(const struct running_job *running, json_t *document)
{
    if (!metric_asks_model(running->spec.job->metric))
        return;
    json_object_set_new(
        document, "judge",
        json_pack("{s:s, s:o, s:I}", "model",
                  running->spec.job->models[ROLE_JUDGE].name, "noise",
                  running->bill.judge_noise < 0
                      ? json_null()
                      : json_real(round(running->bill.judge_noise * 1e4) / 1e4),
                  "unjudged", (json_int_t)running->bill.unjudged));
}

// Adds one reply that could not be read, as an example of the others.
static void add_fault(const struct running_job *running, json_t *document)
{
    const struct ending *ending = running->end.ending;
    struct call_answer answer = {0};
    struct err ignored = ERR_CLEAR;

    if (ending->fault_call != 0 &&
        calls_load(running->engine->store, ending->fault_call, &answer,
                   &ignored))
        json_object_set_new(document, "fault_example",
                            json_pack("{s:I, s:s%}", "row",
                                      (json_int_t)ending->fault_row, "reply",
                                      answer.text,
                                      answer.text_len > REPLY_BYTES
                                          ? utf8_cut(answer.text, REPLY_BYTES)
                                          : answer.text_len));
    call_answer_release(&answer);
}

static char *document_text(const struct running_job *running, int64_t now)
{
    const struct ending *ending = running->end.ending;
    struct err why = {.code = ending->error};

    if (ending->document == NULL) {
        strcpy(why.text, ending->reason);
        return error_document(&why);
    }
    add_cost(running, now, ending->document);
    add_judge(running, ending->document);
    add_fault(running, ending->document);
    if (ending->error != ERR_NONE)
        json_object_set_new(ending->document, "reason",
                            json_string(ending->reason));
    return json_text(ending->document);
}

// Returns true for a run that its coordinator left for the next one
// (history_unfinished).
static bool will_be_resumed(const struct running_job *running)
{
    return running->interrupted && running->end.ending->error == ERR_STOPPED &&
           running->spec.request->action == REQUEST_RUN;
}

// What `run` does in its own process ends with the process. A store that has
// given up stays broken until it is opened again, so trying again is of no use.
enum awaits running_job_awaits(const struct running_job *running)
{
    enum err_code why =
        running->end.ending == NULL ? ERR_NONE : running->end.ending->error;

    if (running->interrupted || running->engine->local ||
        !running_job_is_run(running))
        return AWAITS_NOTHING;
    if (why == ERR_FAULT && running->work.awaits_worker)
        return AWAITS_WORKER;
    if (why == ERR_STORE && store_healthy(running->engine->store, NULL))
        return AWAITS_DISK;
    return AWAITS_NOTHING;
}

// Adds to the session's ending what only the loop knows (calls, tokens, time),
// and puts the job's state.
static void finish(struct running_job *running, int64_t now,
                   struct running_job_result *out)
{
    struct ending *ending = running->end.ending;
    struct err err = ERR_CLEAR;

    if (ending == NULL) {
        err_nomem(&err, "the end of a job");
        *out = (struct running_job_result){
            .state = JOB_FAILED, .status = 1, .document = error_document(&err)};
        return;
    }
    out->state = will_be_resumed(running) ? JOB_QUEUED : ending->state;
    out->status = ending->status;
    out->document = document_text(running, now);
    out->compiled = ending->compiled;
    ending->compiled = NULL;
    if (running->engine->read_only)
        return;
    const struct history_job_state stands = {
        .state = out->state,
        .reason = ending->reason,
        .awaits = awaits_name(running_job_awaits(running)),
        .score = ending->score,
        .document = out->document,
        .compiled = out->compiled};
    history_job_state(running->engine->store, running->work.job_no, &stands,
                      &err);
}

// --- step by step ---

// The chore that sums up the costs of a job that has ended.
struct summing {
    struct chore chore; // first
    struct running_job *running;
};

static void sum_up(struct chore *chore, struct store *reader,
                   const struct err *trouble)
{
    (void)trouble;
    running_job_sum(((struct summing *)(void *)chore)->running, reader);
}

static void after_sum(struct chore *chore)
{
    ((struct summing *)(void *)chore)->running->state = RUNNING_JOB_SUMMED;
    free(chore);
}

static void begin_sum(struct running_job *running, int64_t now)
{
    struct summing *summing = calloc(1, sizeof *summing);

    if (summing == NULL)
        return; // the next turn tries again
    running->end.at_ms = now;
    running_job_save_time(running, now);
    *summing = (struct summing){
        .chore = {.work = sum_up,
                  .done = after_sum,
                  .own = true,
                  .after = store_last_put(running->engine->store)},
        .running = running};
    running->state = RUNNING_JOB_SUMMING;
    (void)background_give(running->engine->read_chores, &summing->chore, NULL);
}

static void put_result(struct running_job *running)
{
    finish(running, running->end.at_ms, &running->end.result);
    running->end.put = store_last_put(running->engine->store);
    running->state = RUNNING_JOB_STORED;
}

static void log_ended(const struct running_job *running)
{
    const struct ending *ending = running->end.ending;
    enum job_state state = ending == NULL ? JOB_FAILED : ending->state;
    const char *reason = ending == NULL ? "" : ending->reason;

    log_info("job-ended", "%s: %s%s%s", running->spec.id, job_state_name(state),
             reason[0] == '\0' ? "" : ": ", reason);
}

static bool is_durable(const struct running_job *running)
{
    return running->end.put <= store_durable(running->engine->store);
}

// A result is sent once it is on disk, or never will be.
static bool may_send(const struct running_job *running)
{
    return is_durable(running) || !store_healthy(running->engine->store, NULL);
}

// Says so in a result that the store will never have. A compiled file is still
// sent: it may be all that is left.
static void note_unstored(struct running_job *running)
{
    struct running_job_result *result = &running->end.result;
    json_t *document =
        running->end.ending == NULL ? NULL : running->end.ending->document;
    struct err why = ERR_CLEAR;

    if (is_durable(running) || store_healthy(running->engine->store, &why))
        return;
    (void)json_object_set_new(document, "reason", json_string(why.text));
    free(result->document);
    result->document =
        document == NULL ? error_document(&why) : json_text(document);
    result->status = 3;
}

bool running_job_settle(struct running_job *running, int64_t now)
{
    if (running->state == RUNNING_JOB_ENDED)
        begin_sum(running, now);
    if (running->state == RUNNING_JOB_SUMMED)
        put_result(running);
    if (running->state != RUNNING_JOB_STORED || !may_send(running))
        return false;
    note_unstored(running);
    log_ended(running);
    return true;
}

const struct running_job_result *
running_job_result(const struct running_job *running)
{
    return &running->end.result;
}
