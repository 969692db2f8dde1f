// A job's thread when memory runs out. Whatever fails, it must reach its end
// and free everything it allocated.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "fault/alloc_fault.h"
#include "search/session/note.h"
#include "search/session/session_thread.h"
#include "unit/given_data.h"

enum { ROWS = 12, TRIALS = 5 };

void *__real_calloc(size_t count, size_t size);

static struct given_data given;
static struct plan plan;
static struct request request;
static struct model_facts facts;
static void *zmq;
static size_t rows[ROWS];
static struct err seen; // by the scenario, on the session's thread

static void set_up(void)
{
    static char text[4096];
    size_t len = 0;

    for (int i = 0; i < ROWS; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "{\"message\": \"number %d\", \"intent\": "
                                "\"track\", \"sure\": 1, \"urgent\": true, "
                                "\"tags\": [], \"note\": \"n\"}\n",
                                i);
        rows[i] = (size_t)i;
    }
    given_data_open(&given, "{examples: rows.jsonl}", "window: 2\n");
    given_data_add(&given, "rows.jsonl", text, len);
    given_data_load(&given);
    cr_assert_not_null(given.dataset);
    plan_all(given.job->program, &plan);
    zmq = zmq_ctx_new();
}

static void tear_down(void)
{
    given_data_close(&given);
    zmq_ctx_term(zmq);
}

TestSuite(session, .init = set_up, .fini = tear_down);

// --- the optimizer ---

static struct candidate *with_demo(struct session *session, struct err *err)
{
    struct candidate *candidate =
        candidate_copy(session_baseline(session), err);
    struct demo demo = {.fields = dataset_fields(given.dataset, 0), .row = 0};
    bool ok = candidate != NULL && demo.fields != NULL &&
              candidate_set_demos(candidate, 0, 1, &demo, 1, err);

    if (demo.fields == NULL)
        err_nomem(err, "an example");
    json_decref(demo.fields);
    if (!ok) {
        candidate_unref(candidate);
        return NULL;
    }
    candidate_seal(candidate);
    return candidate;
}

static bool try_some(struct session *session, struct err *err)
{
    struct candidate *candidate = with_demo(session, err);
    bool ok = candidate != NULL;

    for (int t = 0; ok && t < TRIALS; t++) {
        struct trial *trial = NULL;

        ok = session_admit(session, err);
        if (ok)
            trial = trial_submit(session, TRIAL_FULL, candidate,
                                 (struct row_span){rows, 4}, "a test", err);
        ok = trial != NULL;
        if (ok && t == 0) {
            ok = trial_wait(session, trial, err);
            if (ok)
                session_set_best(session, trial);
        }
    }
    candidate_unref(candidate);
    return ok;
}

static bool run_some(struct session *session, struct err *err)
{
    const struct runs_request asked = {.program = given.job->program,
                                       .plan = &plan,
                                       .candidate = session_baseline(session),
                                       .sampling = {.purpose = "test"},
                                       .rows = rows,
                                       .n = 3};
    struct runs *first = runs_submit(session, &asked, err);
    struct runs *second =
        first == NULL ? NULL : runs_submit(session, &asked, err);
    bool ok = second != NULL && runs_wait(session, second, err);

    // The session drops the first runs itself.
    if (second != NULL && second->done)
        runs_free(second);
    return ok;
}

static struct ending *scenario(struct session *session)
{
    struct ending *ending = calloc(1, sizeof *ending);
    struct trial *score = NULL;

    if (ending == NULL)
        err_nomem(&seen, "an ending");
    else if (try_some(session, &seen) && run_some(session, &seen))
        score = session_score(session, session_baseline(session), &plan,
                              (struct row_span){rows, 3}, &seen);
    if (score != NULL)
        cr_assert_eq(score->score, 1);
    return ending;
}

// --- the running job ---

static void answer(struct task *task)
{
    for (size_t i = 0; i < task->n_items; i++) {
        struct used_call call = {.id = task->trial * 9000 + 1, .tokens = 3};
        struct task_item own = TASK_ITEM_INIT(task->rows[i]);
        struct task_item *item = task->items != NULL ? &task->items[i] : &own;

        item->state = ITEM_DONE;
        item->scored = task->scored;
        item->score = 1;
        task_settle(task, i, item, &call, 1);
    }
}

static bool serve(void *pair)
{
    struct note note;

    while (note_await(pair, &note)) {
        if (note.kind == NOTE_ENDED) {
            free(note.ending);
            return note.ending != NULL;
        }
        if (note.kind != NOTE_TASK)
            continue;
        answer(note.task);
        note_send(pair, &(struct note){.kind = NOTE_TASK, .task = note.task});
    }
    return false;
}

static bool run_job(struct err *err)
{
    static int n;
    char endpoint[32]; // a closed one stays in use for a moment
    struct session_setup setup = {.zmq = zmq,
                                  .endpoint = endpoint,
                                  .request = &request,
                                  .bundle = given.bundle,
                                  .job = given.job,
                                  .dataset = given.dataset,
                                  .split = &given.split,
                                  .plan = &plan,
                                  .job_id = "given-1",
                                  .models = &facts,
                                  .conduct = scenario};
    void *pair = zmq_socket(zmq, ZMQ_PAIR);
    struct session *session;

    snprintf(endpoint, sizeof endpoint, "inproc://running-%d", n++);
    seen = ERR_CLEAR;
    cr_assert_eq(zmq_bind(pair, setup.endpoint), 0);
    session = session_start(&setup, err);
    if (session != NULL) {
        serve(pair);
        session_join(session);
        *err = seen;
    }
    zmq_close(pair);
    return err->code == ERR_NONE;
}

Test(session, job_ends_properly_after_any_failing_allocation)
{
    cr_expect_geq(fault_each(run_job), 100);
}
