#include "coordinator/job_work.h"

#include "common/log.h"
#include "common/text.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/evaluation.h"
#include "coordinator/flight.h"

// --- cost ---

void job_work_paid(const struct flight *flight, int64_t now)
{
    struct job_work *work = flight->order.work;

    work->answered_ms = now;
    work->paid[flight->order.bill]++;
    job_uses_pay(&work->uses, flight->call_id);
    work->prompt_tokens += flight->answer.prompt_tokens;
    work->generated_tokens += flight->answer.generated_tokens;
}

int64_t job_work_total_paid(const struct job_work *work)
{
    int64_t sum = 0;

    for (int i = 0; i < BILL_COUNT; i++)
        sum += work->paid[i];
    return sum;
}

// --- workers ---

bool job_work_refuses(const struct job_work *work,
                      const struct worker_info *worker, char *why, size_t size)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        const struct job_model_pin *model = &work->models[r];

        if (model->bound &&
            !worker_fits(worker, &work->engine->models.entries[model->number],
                         why, size) &&
            why[0] != '\0')
            return true;
    }
    return false;
}

// --- what could not be served ---

static size_t count_in_vain(const struct order *order)
{
    return order->bill == BILL_EXEC
               ? job_programs_in_vain(order->work, order->ask.command)
               : 0;
}

// The user sees as much of this as fits into struct err, so the remedy comes
// before what may be long. If a program fails on every example, leaving one out
// would not help.
static void name_parked(struct job_work *work, const struct order *order, int n,
                        const char *cause)
{
    char *out = work->parked.text;
    size_t size = sizeof work->parked.text;
    const char *others = work->parked.others ? " and others" : "";
    struct row_place row = {0};

    if (n >= 0)
        row = dataset_place(work->dataset, (size_t)n);
    if (count_in_vain(order) > 0)
        text_print(out, size,
                   "no example has had an answer so far: fix the program and "
                   "run the job again, which asks no model twice; %s",
                   cause);
    else if (order->kind == CALL_EMBED && n < 0)
        text_print(out, size,
                   "the embedding of a document failed wherever it was tried; "
                   "run the same command again to try it again (%s)",
                   cause);
    else if (n < 0)
        text_print(out, size,
                   "the call of `%.40s` (%s) failed wherever it was tried; run "
                   "the same command again to try it again (%s)",
                   order->step, order->purpose, cause);
    else if (order->step[0] == '\0')
        text_print(
            out, size,
            "example %d (%.40s:%d)%s got no score; `resume %.60s --exclude "
            "%d` continues without it; %s",
            n, row.file, row.line, others, work->id, n, cause);
    else
        text_print(out, size,
                   "example %d (%.40s:%d)%s: the call of `%.40s` failed "
                   "wherever it was tried; `resume %.60s --exclude %d` "
                   "continues without it (%s)",
                   n, row.file, row.line, others, order->step, work->id, n,
                   cause);
}

// If a program has never answered, it will not answer for the other examples
// either, so the job ends before it pays for them.
static void end_in_vain(struct job_work *work, const struct order *order)
{
    if (work == order->work && count_in_vain(order) >= JOB_PROGRAMS_IN_VAIN &&
        work->failure.code == ERR_NONE)
        err_set(&work->failure, ERR_FAULT, "%s", work->parked.text);
}

// Notes that the item has to do without the call. The job pauses because of the
// first such call; the others would say the same about other rows.
static void note_parked(struct job_work *work, const struct order *order,
                        const struct task_item *item, const char *cause)
{
    struct job_parked *parked = &work->parked;
    bool first = parked->text[0] == '\0';

    if (first)
        parked->row = item->row;
    parked->others |= item->row != parked->row;
    name_parked(work, order, item->row, cause);
    log_line(first ? LOG_WARN : LOG_INFO, "call-parked", "%s: %s", work->id,
             parked->text);
    work->awaits_worker |= order->bill != BILL_EXEC;
    end_in_vain(work, order);
}

// An item that has ended, for lack of another call or because its row was
// excluded, lacks nothing more.
void job_work_park(struct flights *flights, struct flight *flight,
                   const char *cause)
{
    for (struct waiter *w = flight->waiters; w != NULL; w = w->next) {
        const struct task_item *item = evaluation_item(w->evaluation);

        if (item != NULL)
            note_parked(evaluation_work(w->evaluation), &flight->order, item,
                        cause);
        evaluation_end_as_hole(w->evaluation);
    }
    flights_drop(flights, flight);
}

// --- leaving ---

static bool waits_for_job(const struct waiter *waiter, const void *work)
{
    return evaluation_work(waiter->evaluation) == work;
}

static bool waits_in_vain(const struct waiter *waiter, const void *work)
{
    if (!waits_for_job(waiter, work))
        return false;
    evaluation_end_unpaid(waiter->evaluation);
    return true;
}

// Makes the job of the first remaining waiter pay for the flight from now on.
static void hand_over(struct flight *flight, const struct job_work *from)
{
    const struct waiter *first = flight->waiters;
    struct order *order = &flight->order;
    const struct answerer *answerer = answerer_of(&order->ask);
    struct err err = ERR_CLEAR;

    if (order->work != from)
        return;
    order->work = first == NULL ? NULL : evaluation_work(first->evaluation);
    if (order->work != NULL && answerer->inherit != NULL && !flight->landed &&
        !answerer->inherit(flight, &err))
        order->work->failure = err;
}

// LEAVE_ALL includes flights whose answer is on its way to disk.
enum leave { LEAVE_ALL, LEAVE_UNANSWERED };

// Allocates no memory, since a lack of it may be why the job ends.
static void leave_flights(struct job_work *work,
                          bool (*leaves)(const struct waiter *, const void *),
                          enum leave which)
{
    struct engine *engine = work->engine;
    struct flight *left = NULL;
    struct hash key;
    size_t at = 0;
    void *value;

    while (map_next(&engine->flights.by_key, &at, &key, &value)) {
        struct flight *flight = value;
        bool alone;

        if (flight->landed && which == LEAVE_UNANSWERED)
            continue;
        alone = flight_leave(flight, leaves, work);
        hand_over(flight, work);
        if (!alone || flight->landed)
            continue;
        flight->next_left = left;
        left = flight;
    }
    while (left != NULL) {
        struct flight *flight = left;
        const struct answerer *answerer = answerer_of(&flight->order.ask);

        left = flight->next_left;
        if (answerer->cancel != NULL)
            answerer->cancel(engine, flight);
        flights_drop(&engine->flights, flight);
    }
}

void job_work_break_off(struct job_work *work)
{
    work->time_over = true;
    leave_flights(work, waits_in_vain, LEAVE_UNANSWERED);
}

void job_work_leave(struct job_work *work)
{
    leave_flights(work, waits_for_job, LEAVE_ALL);
    while (work->evaluations != NULL)
        evaluation_drop(work->evaluations);
}
