#include "search/session/session_thread.h"

#include <stdlib.h>

#include <zmq.h>

#include "common/thread.h"
#include "search/session/runs.h"
#include "search/session/unit.h"

void session_settle(struct session *session)
{
    for (size_t i = 0; i < session->n_units; i++) {
        struct err ignored = ERR_CLEAR;

        unit_wait(session, session->units[i], &ignored);
    }
}

static void *run_thread(void *arg)
{
    struct session *session = arg;
    struct ending *ending = session->setup.conduct(session);

    session_settle(session);
    note_send(session->pair,
              &(struct note){.kind = NOTE_ENDED, .ending = ending});
    return NULL;
}

static bool connect_pair(struct session *session, struct err *err)
{
    session->pair = zmq_socket(session->setup.zmq, ZMQ_PAIR);
    if (session->pair != NULL &&
        zmq_setsockopt(session->pair, ZMQ_SNDHWM, &(int){0}, sizeof(int)) ==
            0 &&
        zmq_setsockopt(session->pair, ZMQ_RCVHWM, &(int){0}, sizeof(int)) ==
            0 &&
        zmq_connect(session->pair, session->setup.endpoint) == 0)
        return true;
    err_set(err, ERR_IO, "cannot connect a job's thread: %s",
            zmq_strerror(zmq_errno()));
    return false;
}

struct session *session_start(const struct session_setup *setup,
                              struct err *err)
{
    struct session *session = calloc(1, sizeof *session);
    struct use most = {0}; // no limit

    if (session == NULL) {
        err_nomem(err, "a job");
        return NULL;
    }
    session->setup = *setup;
    session->finish = "trials_done";
    session->forecast = FORECAST_INIT;
    if (setup->request->action == REQUEST_RUN)
        most = (struct use){setup->job->budget.max_calls,
                            setup->job->budget.max_tokens};
    account_init(&session->account, most);
    session->baseline = candidate_new(setup->job->program, err);
    if (session->baseline == NULL || !connect_pair(session, err))
        goto fail;
    candidate_seal(session->baseline);
    if (!thread_start(&session->thread, run_thread, session, "the job", err))
        goto fail;
    session->started = true;
    return session;

fail:
    session_join(session);
    return NULL;
}

void session_join(struct session *session)
{
    if (session == NULL)
        return;
    if (session->started)
        pthread_join(session->thread, NULL);
    for (size_t i = 0; i < session->n_units; i++) {
        runs_free(session->units[i]->runs);
        unit_free(session->units[i]);
    }
    free(session->units);
    free(session->trials);
    row_lists_release(&session->lists);
    account_release(&session->account);
    map_release(&session->embedded);
    map_release(&session->scored);
    fit_free(session->fit);
    candidate_unref(session->baseline);
    if (session->pair != NULL)
        zmq_close(session->pair);
    free(session);
}
