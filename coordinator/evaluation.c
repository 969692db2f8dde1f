#include "coordinator/evaluation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/call_key.h"
#include "coordinator/running_job_exec.h"
#include "store/calls.h"

struct evaluation {
    struct running_job *running;
    struct task *task;       // NULL once the item is finished
    struct task_item *item;  // the same
    struct stepper *stepper; // owned
    size_t waiting;          // flights that it waits for
    bool judging;
    size_t n_outside, outside_missing;
    struct score outside[METRIC_MAX_OUTSIDE];
    struct evaluation *previous, *next; // in the running job's list
};

const struct running_job *evaluation_job(const struct evaluation *evaluation)
{
    return evaluation->running;
}

const struct task_item *evaluation_item(const struct evaluation *evaluation)
{
    return evaluation->item;
}

static void link_in(struct evaluation *ev)
{
    struct running_job *running = ev->running;

    ev->next = running->evaluations;
    if (ev->next != NULL)
        ev->next->previous = ev;
    running->evaluations = ev;
    running->active++;
}

void evaluation_drop(struct evaluation *ev)
{
    struct running_job *running = ev->running;

    if (ev->previous != NULL)
        ev->previous->next = ev->next;
    else
        running->evaluations = ev->next;
    if (ev->next != NULL)
        ev->next->previous = ev->previous;
    running->active--;
    stepper_free(ev->stepper);
    for (size_t i = 0; i < ev->n_outside; i++)
        score_release(&ev->outside[i]);
    free(ev);
}

// --- the item's end ---

static void detach(struct evaluation *ev, enum item_state state)
{
    assert(ev->task->open > 0);
    ev->task->open--;
    ev->item->state = state;
    ev->task = NULL;
    ev->item = NULL;
    stepper_free(ev->stepper); // the program may end with the task
    ev->stepper = NULL;
}

static bool keep_trace(const struct evaluation *ev, struct err *err)
{
    size_t n = ev->task->program->n_steps;
    struct task_item *item = ev->item;

    item->outputs = json_incref((json_t *)stepper_outputs(ev->stepper));
    item->step_inputs = calloc(n, sizeof(json_t *));
    item->step_outputs = calloc(n, sizeof(json_t *));
    if (item->step_inputs == NULL || item->step_outputs == NULL) {
        err_nomem(err, "a trace");
        return false;
    }
    for (size_t s = 0; s < n; s++) {
        item->step_inputs[s] =
            json_incref((json_t *)stepper_step_inputs(ev->stepper, (int)s));
        item->step_outputs[s] =
            json_incref((json_t *)stepper_step_outputs(ev->stepper, (int)s));
    }
    return true;
}

// Two trials under way may score one candidate on one row; the calls are the
// same, and the first that ends is kept.
static bool is_kept(const struct evaluation *ev, struct err *err)
{
    struct history_evaluation row;

    return history_find_evaluation(
        ev->running->engine->store, ev->running->job_no, ev->task->candidate_id,
        ev->item->row, ev->task->sampling.replicate, &row, err);
}

static bool put_history(const struct evaluation *ev, struct err *err)
{
    const struct task_item *item = ev->item;
    struct history_evaluation row = {
        .candidate_id = ev->task->candidate_id,
        .row = item->row,
        .replicate = ev->task->sampling.replicate,
        .outcome = (int32_t)item->outcome,
        .repairs = item->repairs,
        .lenient = item->lenient,
        .score = item->score,
        .feedback = item->feedback,
    };

    if (is_kept(ev, err))
        return true;
    for (size_t i = 0; i < item->n_calls && i < EVALUATION_MAX_CALLS; i++)
        row.calls[row.n_calls++] = item->calls[i].id;
    return history_put_evaluation(ev->running->engine->store,
                                  ev->running->job_no, &row, err);
}

static bool finish(struct evaluation *ev, struct err *err)
{
    struct task_item *item = ev->item;

    item->outcome = stepper_outcome(ev->stepper);
    item->lenient = stepper_lenient(ev->stepper);
    item->repairs = stepper_repairs(ev->stepper);
    if (ev->task->traced && !keep_trace(ev, err))
        return false;
    if (ev->task->kept && !put_history(ev, err))
        return false;
    detach(ev, ITEM_DONE);
    return true;
}

// --- judging ---

static const json_t *example_of(const struct evaluation *ev)
{
    return ev->running->dataset->rows[ev->item->row].fields;
}

static bool judge(struct evaluation *ev, struct err *err)
{
    struct score score = {0};

    if (!metric_score(ev->running->job->metric, example_of(ev),
                      stepper_outputs(ev->stepper), ev->outside, &score, err))
        return false;
    ev->item->score = score.value;
    ev->item->feedback = score.feedback;
    ev->item->scored = true;
    return finish(ev, err);
}

static bool remember_call(struct task_item *item, const struct call_ref *ref,
                          struct err *err)
{
    // Room is made in powers of two.
    if ((item->n_calls & (item->n_calls + 1)) == 0) {
        size_t cap = item->n_calls * 2 + 2;
        struct used_call *calls = realloc(item->calls, cap * sizeof *calls);

        if (calls == NULL) {
            err_nomem(err, "an evaluation");
            return false;
        }
        item->calls = calls;
    }
    item->calls[item->n_calls++] = (struct used_call){
        .id = ref->id, .tokens = ref->prompt_tokens + ref->generated_tokens};
    return true;
}

static bool take_judgement(struct evaluation *ev, int part,
                           const struct call_answer *answer, struct err *err)
{
    if (!metric_answer(answer->text, answer->text_len, &ev->outside[part], err))
        return false;
    ev->outside_missing--;
    return ev->outside_missing > 0 || judge(ev, err);
}

static bool take_stored(struct evaluation *ev, int step, bool exec,
                        const struct call_ref *ref, struct err *err)
{
    struct call_answer answer = {0};
    bool ok = calls_load(ev->running->engine->store, ref->id, &answer, err) &&
              remember_call(ev->item, ref, err);

    ev->running->progress.reused++;
    if (ok && exec)
        ok = take_judgement(ev, step, &answer, err);
    else if (ok)
        ok = stepper_answer(ev->stepper, step, &answer, err);
    call_answer_release(&answer);
    return ok;
}

// A new flight that cannot begin: nobody may join what never ends.
static void give_up(struct evaluation *ev, struct flight *flight)
{
    ev->waiting--;
    flights_drop(&ev->running->engine->flights, flight);
}

// Waits for a flight under key, opening it when there is none; text is taken.
static struct flight *wait_for(struct evaluation *ev, const struct hash *key,
                               int step, char *text, size_t len, bool *opened,
                               struct err *err)
{
    struct flights *flights = &ev->running->engine->flights;
    struct flight *flight = flights_find(flights, key);

    *opened = flight == NULL;
    if (*opened)
        flight = flights_open(flights, key, text, len, err);
    if (!*opened || flight == NULL)
        free(text);
    if (flight == NULL)
        return NULL;
    if (!flight_join(flight, ev, step, err)) {
        if (*opened)
            flights_drop(flights, flight);
        return NULL;
    }
    ev->waiting++;
    ev->running->progress.reused += !*opened;
    if (*opened) {
        flight->running = ev->running;
        flight->role = ev->task->role;
        flight->purpose = ev->task->sampling.purpose;
    }
    return flight;
}

// An excluded row ends where it would have to be paid for: what was answered
// before the exclusion stays as it was, so replay decides as it did.
static bool leave_out(struct evaluation *ev)
{
    if (ev->item->row < 0 || !ev->running->excluded[ev->item->row])
        return false;
    detach(ev, ITEM_EXCLUDED);
    return true;
}

static bool ask_judge(struct evaluation *ev, int part,
                      const struct metric_command *command,
                      const struct buf *line, struct err *err)
{
    struct running_job *running = ev->running;
    struct hash key =
        exec_key(command->argv, &running->exec_files, line->data, line->len);
    struct call_ref ref;
    struct flight *flight;
    bool opened;
    char *text;

    if (flights_find(&running->engine->flights, &key) == NULL) {
        if (calls_find(running->engine->store, &key, &ref))
            return take_stored(ev, part, true, &ref, err);
        if (leave_out(ev))
            return true;
    }
    text = strdup(line->data);
    if (text == NULL) {
        err_nomem(err, "a request to the metric");
        return false;
    }
    flight = wait_for(ev, &key, part, text, line->len, &opened, err);
    if (flight == NULL)
        return false;
    if (!opened)
        return true;
    flight->exec = true;
    flight->purpose = "metric";
    if (running_job_begin_exec(running, flight, part, err))
        return true;
    give_up(ev, flight);
    return false;
}

static bool ask_judges(struct evaluation *ev,
                       const struct metric_command *commands, struct err *err)
{
    struct buf line = BUF_INIT(PROMPT_MAX_BYTES);
    bool ok = metric_request(example_of(ev), stepper_outputs(ev->stepper),
                             &line, err);
    size_t n = ev->n_outside;

    ev->judging = true;
    ev->outside_missing = n;
    for (size_t i = 0; ok && i < n && ev->task != NULL; i++)
        ok = ask_judge(ev, (int)i, &commands[i], &line, err);
    buf_release(&line);
    return ok;
}

// A model fault scores 0; what is only run, not scored, just ends.
static bool end_run(struct evaluation *ev, struct err *err)
{
    struct metric_command commands[METRIC_MAX_OUTSIDE];

    if (!ev->task->scored)
        return finish(ev, err);
    if (stepper_outcome(ev->stepper) != RUN_DONE) {
        ev->item->scored = true;
        ev->item->score = 0;
        return finish(ev, err);
    }
    ev->n_outside = metric_outside(ev->running->job->metric, commands);
    return ev->n_outside > 0 ? ask_judges(ev, commands, err) : judge(ev, err);
}

// --- stepping ---

static struct call_options options_for(const struct evaluation *ev,
                                       const char *step)
{
    const struct job *job = ev->running->job;
    const struct sampling *sampling = &ev->task->sampling;
    struct call_options options = job->models[ev->task->role].options;

    if (sampling->temperature >= 0)
        options.temperature = sampling->temperature;
    options.seed = call_seed(options.temperature, job->seed, sampling, step);
    return options;
}

// The request of a flight; its texts are borrowed from it.
static void fill_flight(struct flight *flight, struct prefix *prefix,
                        const struct call_options *options, const char *step)
{
    flight->prefix = prefix;
    prefix->references++;
    flight->options = *options;
    strncpy(flight->step, step, sizeof flight->step - 1);
}

static bool ask_model(struct evaluation *ev, const struct stepper_ask *ask,
                      struct err *err)
{
    struct running_job *running = ev->running;
    const char *step = ev->task->program->steps[ask->step].name;
    struct prefix *prefix =
        running_job_prefix(running, ev->task, ask->step, ask->form, err);
    struct call_options options = options_for(ev, step);
    struct call_request request = {
        .tail = ask->tail, .tail_len = ask->tail_len, .options = options};
    struct call_ref ref;
    struct flight *flight;
    struct hash key;
    bool opened;
    char *tail;

    if (prefix == NULL)
        return false;
    request.format = prefix->format;
    key = call_key(&prefix->hash, running->models[ev->task->role].digest,
                   &request, ev->task->sampling.replicate);
    if (flights_find(&running->engine->flights, &key) == NULL) {
        if (calls_find(running->engine->store, &key, &ref))
            return take_stored(ev, ask->step, false, &ref, err);
        if (leave_out(ev))
            return true;
    }
    tail = strndup(ask->tail, ask->tail_len);
    if (tail == NULL) {
        err_nomem(err, "a call");
        return false;
    }
    flight = wait_for(ev, &key, ask->step, tail, ask->tail_len, &opened, err);
    if (flight == NULL)
        return false;
    if (!opened)
        return true;
    fill_flight(flight, prefix, &options, step);
    if (running_job_begin_call(running, ev->task, flight, err))
        return true;
    give_up(ev, flight);
    return false;
}

static bool advance(struct evaluation *ev, struct err *err)
{
    struct stepper_ask ask;
    struct err why = ERR_CLEAR;

    while (stepper_next(ev->stepper, &ask, &why)) {
        if (!ask_model(ev, &ask, err))
            return false;
        if (ev->task == NULL)
            return true;
    }
    if (why.code != ERR_NONE) {
        *err = why;
        return false;
    }
    return !stepper_ended(ev->stepper) || ev->judging || end_run(ev, err);
}

// What is finished goes once nothing can come back to it.
static void drop_if_over(struct evaluation *ev)
{
    if (ev->task == NULL && ev->waiting == 0)
        evaluation_drop(ev);
}

bool evaluation_start(struct running_job *running, struct task *task,
                      struct task_item *item, struct err *err)
{
    struct evaluation *ev = calloc(1, sizeof *ev);
    bool ok;

    if (ev == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    ev->running = running;
    ev->task = task;
    ev->item = item;
    link_in(ev);
    ev->stepper = stepper_new(task->program, task->plan, task->adapter,
                              item->inputs, err);
    ok = ev->stepper != NULL && advance(ev, err);
    if (ok)
        drop_if_over(ev);
    return ok; // otherwise the running job closes, and drops it
}

bool evaluation_feed(struct evaluation *ev, int step,
                     const struct flight *flight, struct err *err)
{
    struct call_ref ref = {.id = flight->call_id,
                           .prompt_tokens = flight->answer.prompt_tokens,
                           .generated_tokens = flight->answer.generated_tokens,
                           .outcome = flight->answer.outcome};
    bool ok = true;

    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL) {
        ok = remember_call(ev->item, &ref, err);
        if (ok && flight->exec)
            ok = take_judgement(ev, step, &flight->answer, err);
        else if (ok)
            ok = stepper_answer(ev->stepper, step, &flight->answer, err) &&
                 advance(ev, err);
    }
    if (ok)
        drop_if_over(ev);
    return ok;
}

void evaluation_hole(struct evaluation *ev)
{
    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL)
        detach(ev, ITEM_HOLE);
    drop_if_over(ev);
}
