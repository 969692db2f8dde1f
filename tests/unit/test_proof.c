#include "coordinator/proof.h"

#include <criterion/criterion.h>
#include <string.h>

#include "coordinator/engine.h"
#include "coordinator/model_use.h"
#include "coordinator/side_call.h"

// In virtual time: what workers show about a model, and which ones are used for
// it.

enum { REPAIRED_MS = 10000 };

static struct engine engine;
static struct worker_info *worker;
static int32_t model;
static struct err err;
static int64_t now;

static void join(void)
{
    struct wire_model has = {.name = "a:1b", .digest = "d", .context = 4096};
    struct hello hello = {.name = "w",
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 1,
                          .models = &has,
                          .n_models = 1};

    worker = workers_join(&engine.workers, &hello, &engine.models,
                          engine.dispatch, now, &err);
    cr_assert_not_null(worker, "%s", err.text);
    proofs_expect_worker(&engine, worker, now);
}

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 0};

    engine = (struct engine){.workers = WORKERS_INIT,
                             .call_timeout_ms = 60000,
                             .proofs.wanted = true};
    err = ERR_CLEAR;
    now = 1000000;
    engine.dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(engine.dispatch, "%s", err.text);
    model = models_use(&engine.models, "a:1b", "d", &err);
    cr_assert(model >= 0, "%s", err.text);
    engine.models.entries[model].needs.num_ctx = 2048;
    engine.models.entries[model].needs.format = true;
    join();
}

static void tear_down(void)
{
    proofs_release(&engine.proofs);
    workers_release(&engine.workers);
    models_release(&engine.models);
    dispatch_free(engine.dispatch);
}

TestSuite(proof, .init = set_up, .fini = tear_down);

// Waits up to ten minutes for the next question; returns its id and how long it
// took.
static int64_t ask(bool *format, int64_t *after_ms)
{
    struct call_message call;
    int64_t since = now;

    for (; now < since + 600000; now += 100) {
        if (proofs_next(&engine, now, &call) == NULL)
            continue;
        *format = call.request.format != NULL;
        *after_ms = now - since;
        return call.id;
    }
    return 0;
}

static void answer(int64_t id, const char *text)
{
    struct call_answer answer = {.text = (char *)text,
                                 .text_len = strlen(text)};

    proofs_answered(&engine, worker, id, &answer, now);
}

// Answers all current questions; if `bad`, ignores schemas.
static void answer_all(bool bad)
{
    for (int i = 0; i < 2; i++) {
        bool format;
        int64_t ms, id = ask(&format, &ms);

        cr_assert_neq(id, 0);
        answer(id, format && !bad ? "{\"word\": \"zyzzyva\"}" : "red, blue");
    }
}

static bool is_used(void)
{
    return dispatch_can_serve(engine.dispatch, model);
}

Test(proof, server_that_proves_itself_is_not_probed_again)
{
    bool format;
    int64_t ms;

    answer_all(false);
    cr_expect(is_used());
    cr_expect_eq(ask(&format, &ms), 0);
}

Test(proof, server_that_ignored_schemas_is_used_soon_after_its_repair)
{
    char why[200];
    bool format;
    int64_t ms, id;

    answer_all(true);
    cr_expect_not(is_used());
    cr_expect(proofs_tell(&engine, worker, why, sizeof why));
    for (int i = 0; i < 100; i++) {
        id = ask(&format, &ms);
        cr_expect_lt(ms, REPAIRED_MS);
        cr_expect(format);
        answer(id, "red, blue");
        cr_expect_not(is_used());
    }
    answer(ask(&format, &ms), "{\"word\": \"zyzzyva\"}");
    cr_expect_lt(ms, REPAIRED_MS);
    cr_expect(is_used());
    cr_expect_not(proofs_tell(&engine, worker, why, sizeof why));
    cr_expect_eq(ask(&format, &ms), 0, "it has shown all");
}

Test(proof, passing_refusal_is_detected_and_an_outage_changes_nothing)
{
    bool format;
    int64_t ms;

    for (int i = 0; i < 2; i++)
        proofs_failed(&engine, worker, ask(&format, &ms), FAULT_REQUEST,
                      "400: bad request", now);
    cr_expect_not(is_used());
    proofs_failed(&engine, worker, ask(&format, &ms), FAULT_SERVER, "500", now);
    cr_expect_not(is_used());
    for (int i = 0; i < 2; i++) {
        int64_t id = ask(&format, &ms);

        cr_expect_not(is_used(), "both speak against it");
        answer(id, format ? "{\"word\": \"zyzzyva\"}" : "red, blue");
    }
    cr_expect(is_used());
}

// --- messages that people try, on the model of a job ---

static struct side_call *try_message(void)
{
    const struct peer_address nobody = {.epoch = 1};
    json_t *argument = json_pack("{s:s, s:s, s:s, s:{s:i, s:i}}", "model",
                                 "a:1b", "prefix", "p", "tail", "t", "options",
                                 "num_ctx", 2048, "num_predict", 16);
    bool ok = side_call_begin(&engine, &nobody, argument, now, &err);

    json_decref(argument);
    return ok ? engine.side_calls : NULL;
}

// The job ends first, and then the message that somebody tries. The number of
// their model is free after that.
Test(proof, nothing_is_asked_about_a_model_that_nobody_uses_any_more)
{
    struct side_call *side = try_message();
    bool format;
    int64_t ms;

    cr_assert_not_null(side, "%s", err.text);
    model_use_end(&engine, model);
    side_call_end(&engine, side, now);
    cr_expect_eq(ask(&format, &ms), 0);
}

Test(proof, a_message_does_not_bring_back_a_worker_that_was_refused)
{
    answer_all(true);
    cr_assert_not(is_used());
    cr_expect_null(try_message());
    cr_expect_not(is_used());
}
