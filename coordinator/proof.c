#include "coordinator/proof.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/engine.h"

enum {
    PREDICT = 24, // tokens: enough to tell two texts apart
    AGAIN_MS = 5000,
    AGAIN_MOST = 4, // doublings
    REFUSED_AGAIN_MS = 8000,
};

// Keep this fixed: after a change, old and new coordinators compare different
// texts, but nothing else breaks.
static const char prefix[] =
    "[{\"role\":\"system\",\"content\":\"You list things.\"}";
static const char tail[] =
    ",{\"role\":\"user\",\"content\":\"Name six colours, "
    "then six animals, without any other word.\"}]";
static const char format[] =
    "{\"type\":\"object\",\"properties\":{\"word\":{\"type\":\"string\","
    "\"enum\":[\"zyzzyva\"]}},\"required\":[\"word\"]}";

static void ask_after(struct proofs *proofs, struct proof *proof, int64_t now,
                      int64_t wait_ms)
{
    proof->due_ms = now + wait_ms;
    if (proofs->due_ms > proof->due_ms)
        proofs->due_ms = proof->due_ms;
}

static void ask_later(struct proofs *proofs, struct proof *proof, int64_t now)
{
    ask_after(proofs, proof, now, (int64_t)AGAIN_MS << proof->tries);
    if (proof->tries < AGAIN_MOST)
        proof->tries++;
}

static void remove_where(struct proofs *proofs, int32_t worker, int32_t model)
{
    struct proof **at = &proofs->first;

    while (*at != NULL) {
        struct proof *proof = *at;

        if (proof->worker != worker && proof->model != model) {
            at = &proof->next;
            continue;
        }
        proofs->n--;
        *at = proof->next;
        free(proof);
    }
}

void proofs_forget_worker(struct engine *engine, int32_t worker)
{
    remove_where(&engine->proofs, worker, -1);
}

void proofs_forget_model(struct engine *engine, int32_t model)
{
    remove_where(&engine->proofs, -1, model);
}

void proofs_release(struct proofs *proofs)
{
    while (proofs->first != NULL) {
        struct proof *next = proofs->first->next;

        free(proofs->first);
        proofs->first = next;
    }
    *proofs = (struct proofs){0};
}

// --- who is asked what ---

// When out of memory, or above the limit, a worker is trusted without a proof.
static void expect(struct proofs *proofs, int32_t worker, int32_t model,
                   enum proof_kind kind, int64_t now)
{
    struct proof *proof =
        proofs->n < PROOFS_MOST ? calloc(1, sizeof *proof) : NULL;

    if (proof == NULL)
        return;
    *proof = (struct proof){.id = WIRE_PROOF_ID + ++proofs->last_id,
                            .worker = worker,
                            .model = model,
                            .kind = kind,
                            .due_ms = now,
                            .next = proofs->first};
    proofs->first = proof;
    proofs->n++;
    if (proofs->due_ms > now)
        proofs->due_ms = now;
}

static void expect_both(struct engine *engine, int32_t worker, int32_t number,
                        int64_t now)
{
    const struct model_entry *model = &engine->models.entries[number];

    expect(&engine->proofs, worker, number, PROOF_TEXT, now);
    if (model->needs.format)
        expect(&engine->proofs, worker, number, PROOF_FORMAT, now);
}

void proofs_expect_worker(struct engine *engine,
                          const struct worker_info *worker, int64_t now)
{
    for (size_t i = 0; engine->proofs.wanted && i < engine->models.n; i++)
        if (engine->models.entries[i].name != NULL &&
            engine->models.entries[i].needs.num_ctx > 0 &&
            worker_fits(worker, &engine->models.entries[i], NULL, 0))
            expect_both(engine, worker->number, (int32_t)i, now);
}

void proofs_expect_model(struct engine *engine, int32_t model, int64_t now)
{
    const struct model_entry *entry = &engine->models.entries[model];

    if (!engine->proofs.wanted)
        return;
    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next)
        if (worker_fits(w, entry, NULL, 0))
            expect_both(engine, w->number, model, now);
}

// Returns a proof to ask for now, or NULL if there is none before
// proofs->due_ms.
static struct proof *find_due(struct proofs *proofs, int64_t now)
{
    proofs->due_ms = INT64_MAX;
    for (struct proof *proof = proofs->first; proof != NULL;
         proof = proof->next) {
        if (proof->state == PROOF_PASSED)
            continue;
        if (proof->due_ms < proofs->due_ms)
            proofs->due_ms = proof->due_ms;
        if (proof->due_ms <= now)
            return proof;
    }
    return NULL;
}

struct proof *proofs_next(struct engine *engine, int64_t now,
                          struct call_message *out)
{
    struct proof *proof =
        engine->proofs.due_ms > now ? NULL : find_due(&engine->proofs, now);

    if (proof == NULL)
        return NULL;
    const struct model_entry *model = &engine->models.entries[proof->model];
    if (proof->state == PROOF_REFUSED) {
        ask_after(&engine->proofs, proof, now, REFUSED_AGAIN_MS);
    } else {
        proof->state = PROOF_SENT;
        ask_later(&engine->proofs, proof, now);
    }
    *out = (struct call_message){
        .id = proof->id,
        .timeout_ms = engine->call_timeout_ms,
        .digest = models_worker_digest(model->digest),
        .request = {.model = model->name,
                    .prefix = prefix,
                    .prefix_len = sizeof prefix - 1,
                    .tail = tail,
                    .tail_len = sizeof tail - 1,
                    .format = proof->kind == PROOF_FORMAT ? format : NULL,
                    .options = {.num_ctx = model->needs.num_ctx,
                                .num_predict = PREDICT,
                                .think = model->needs.think}}};
    return proof;
}

// --- replies ---

static struct proof *find_sent(const struct engine *engine,
                               const struct worker_info *worker, int64_t id)
{
    struct proof *proof = engine->proofs.first;

    while (proof != NULL && proof->id != id)
        proof = proof->next;
    return proof != NULL && proof->worker == worker->number &&
                   (proof->state == PROOF_SENT || proof->state == PROOF_REFUSED)
               ? proof
               : NULL;
}

static void refuse(struct engine *engine, const struct worker_info *worker,
                   struct proof *proof, const char *why, int64_t now)
{
    bool known = proof->state == PROOF_REFUSED;

    proof->state = PROOF_REFUSED;
    (void)text_print(proof->text, sizeof proof->text, "%s", why);
    ask_after(&engine->proofs, proof, now, REFUSED_AGAIN_MS);
    dispatch_refuse(engine->dispatch, worker->number, proof->model);
    if (!known)
        log_warn("worker-not-used", "%s, for `%s`: %s", worker->name,
                 engine->models.entries[proof->model].name, why);
}

bool proofs_refuse(const struct proofs *proofs, int32_t worker, int32_t model)
{
    for (const struct proof *p = proofs->first; p != NULL; p = p->next)
        if (p->worker == worker && p->model == model &&
            p->state == PROOF_REFUSED)
            return true;
    return false;
}

// Ends a refusal: the worker gets calls of the model again, unless the other
// proof still fails. When out of memory the proof is asked once more.
static void pass(struct engine *engine, const struct worker_info *worker,
                 struct proof *proof)
{
    bool was_refused = proof->state == PROOF_REFUSED;
    struct err err = ERR_CLEAR;

    proof->state = PROOF_PASSED;
    proof->text[0] = '\0';
    if (!was_refused ||
        proofs_refuse(&engine->proofs, worker->number, proof->model))
        return;
    if (dispatch_serves(engine->dispatch, worker->number, proof->model, &err))
        log_info("worker-used-again", "%s, for `%s`", worker->name,
                 engine->models.entries[proof->model].name);
    else
        proof->state = PROOF_REFUSED;
}

// A reply that is cut, or consists only of thinking, proves nothing against it.
static bool keeps_format(const struct call_answer *answer)
{
    if (answer->outcome == CALL_CUT)
        return answer->text[strspn(answer->text, " \n\t")] == '{';
    if (answer->outcome != CALL_TEXT)
        return true;
    json_t *reply =
        json_parse(answer->text, answer->text_len, answer->text_len + 1, NULL);
    bool ok = strcmp(json_get_text(reply, "word", ""), "zyzzyva") == 0;

    json_decref(reply);
    return ok;
}

// Compares how many other workers wrote the same text, and how many another.
static void compare(const struct engine *engine, struct proof *proof)
{
    size_t same = 0, other = 0;

    for (const struct proof *p = engine->proofs.first; p != NULL; p = p->next) {
        if (p == proof || p->model != proof->model || p->kind != PROOF_TEXT ||
            p->state != PROOF_PASSED)
            continue;
        if (strcmp(p->text, proof->text) == 0)
            same++;
        else
            other++;
    }
    proof->differs = other > same;
}

void proofs_answered(struct engine *engine, const struct worker_info *worker,
                     int64_t id, const struct call_answer *answer, int64_t now)
{
    struct proof *proof = find_sent(engine, worker, id);

    if (proof == NULL)
        return;
    if (proof->kind == PROOF_FORMAT && !keeps_format(answer)) {
        refuse(engine, worker, proof,
               "its server ignores output formats, which the job needs: "
               "install the version that the others have",
               now);
        return;
    }
    pass(engine, worker, proof);
    if (proof->kind != PROOF_TEXT)
        return;
    (void)text_print(proof->text, sizeof proof->text, "%s", answer->text);
    compare(engine, proof);
    if (proof->differs)
        log_warn("other-text",
                 "%s writes something else with `%s` at temperature 0 than "
                 "most others: %s",
                 worker->name, engine->models.entries[proof->model].name,
                 proof->text);
}

// A refusal is the server's verdict on the request. Any other fault is an
// outage and changes nothing.
void proofs_failed(struct engine *engine, const struct worker_info *worker,
                   int64_t id, enum call_fault fault, const char *text,
                   int64_t now)
{
    struct proof *proof = find_sent(engine, worker, id);

    if (proof == NULL)
        return;
    if (fault == FAULT_REQUEST || fault == FAULT_MODEL)
        refuse(engine, worker, proof, text, now);
    else if (proof->state == PROOF_SENT)
        ask_later(&engine->proofs, proof, now);
}

// --- for people ---

bool proofs_tell(const struct engine *engine, const struct worker_info *worker,
                 char *out, size_t size)
{
    for (const struct proof *p = engine->proofs.first; p != NULL; p = p->next) {
        const char *name = p->worker == worker->number
                               ? engine->models.entries[p->model].name
                               : NULL;

        if (name != NULL && p->state == PROOF_REFUSED) {
            text_print(out, size, "not used for `%.60s`: %s", name, p->text);
            return true;
        }
        if (name != NULL && p->differs) {
            text_print(out, size,
                       "writes something else with `%.60s` at temperature 0 "
                       "than most others",
                       name);
            return true;
        }
    }
    return false;
}
