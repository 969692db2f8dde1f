#include "cli/check_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "cli/check_asks.h"
#include "common/clock.h"
#include "common/text.h"
#include "exec/exec_pool.h"
#include "program/graph/search_spec.h"
#include "program/graph/step.h"
#include "program/job/documents.h"

enum { GRACE_MS = 2000 };

// --- when ---

// Returns true if the step's conditions on inputs of the program hold for the
// example.
static bool may_run(const struct program *program, const struct step *step,
                    const json_t *inputs)
{
    for (size_t i = 0; i < step->n_when; i++) {
        const struct condition *one = &step->when[i];

        if (one->source.step == SOURCE_INPUT &&
            !condition_holds(
                one, json_object_get(inputs,
                                     program->inputs[one->source.field].name)))
            return false;
    }
    return true;
}

static bool may_run_somewhere(const struct jobfile *file,
                              const struct step *step)
{
    bool found = step->n_when == 0;

    for (size_t r = 0; !found && r < dataset_size(file->dataset); r++) {
        json_t *inputs = dataset_inputs(file->dataset, r);

        found = inputs == NULL || may_run(file->job->program, step, inputs);
        json_decref(inputs);
    }
    return found || dataset_size(file->dataset) == 0;
}

static void check_when(struct jobfile *file, const struct step *step)
{
    if (may_run_somewhere(file, step))
        return;
    diag_add(file->diags, DIAG_WARNING, "never-runs", &step->place,
             "`%s` runs on none of the %zu examples: its `when` holds for none "
             "of them",
             step->name, dataset_size(file->dataset));
    diag_remedy(file->diags, "compare the values of `when` with those of the "
                             "examples, letter by letter");
}

// --- passages ---

static int64_t most_passages(const struct jobfile *file, size_t s)
{
    const struct tunables *tunables = &file->job->tunables;
    int64_t most = search_k(&file->job->program->steps[s], NULL);

    for (size_t i = 0; i < tunables->n; i++) {
        const struct tunable *one = &tunables->items[i];

        for (size_t c = 0; one->step == (int)s && strcmp(one->key, "k") == 0 &&
                           c < one->n_choices;
             c++)
            if (json_integer_value(one->choices[c]) > most)
                most = json_integer_value(one->choices[c]);
    }
    return most;
}

// The context reserves room for as many passages as may be found (fit.h), and
// holds fewer demos in return.
static void check_passage_count(struct jobfile *file, size_t s)
{
    const struct step *step = &file->job->program->steps[s];
    int64_t most = most_passages(file, s);
    struct err ignored = ERR_CLEAR;
    char documents_text[TEXT_COUNTED_BYTES];
    json_t *documents =
        documents_read(file->bundle, step->search->documents, &ignored);
    int64_t n = (int64_t)json_array_size(documents);

    if (n > 0 && most > n) {
        diag_add(file->diags, DIAG_WARNING, "too-many-passages", &step->place,
                 "`%s` asks for %" PRId64
                 " passages of %s: the context reserves room for all of them, "
                 "which demos could use",
                 step->name, most, text_counted(documents_text, n, "document"));
        diag_remedy(file->diags, "lower its `k` to %" PRId64 " or less", n);
    }
    json_decref(documents);
}

void check_steps(struct jobfile *file, const struct options *options)
{
    const struct program *program = file->job->program;

    (void)options;
    for (size_t s = 0; s < program->n_steps; s++) {
        check_when(file, &program->steps[s]);
        if (program->steps[s].search != NULL)
            check_passage_count(file, s);
    }
}

// --- programs ---

bool check_await(struct exec_pool *pool, int64_t timeout_ms,
                 struct exec_done *done)
{
    int64_t end = clock_monotonic_ms() + GRACE_MS + timeout_ms;

    while (!exec_pool_take(pool, done)) {
        struct pollfd wait = {.fd = exec_pool_fd(pool), .events = POLLIN};
        int64_t left = end - clock_monotonic_ms();

        if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR))
            return false;
    }
    return true;
}

static void report_fault(struct jobfile *file, const struct step *step,
                         const struct exec_done *done)
{
    diag_add(file->diags, DIAG_ERROR, "step-program", &step->place, "%s",
             done->fault.text);
    if (done->errors != NULL && done->errors[0] != '\0')
        diag_remedy(file->diags, "it last printed: %s", done->errors);
}

struct programs {
    struct jobfile *file;
    struct exec_pool *pool;
};

// Gives the answer to the step, since another step may wait for it. Returns
// false if there is no answer.
static bool ask_program(void *user, struct stepper *stepper,
                        const struct ask *ask)
{
    const struct programs *of = user;
    const struct step *step = &of->file->job->program->steps[ask->part];
    struct exec_done done = {0};
    struct err err = ERR_CLEAR;
    bool ok = exec_pool_begin(
                  of->pool, job_command_number(of->file->job, ask->command),
                  (uint64_t)ask->part, ask->payload, ask->payload_len, &err) &&
              check_await(of->pool, ask->command->timeout_ms, &done);

    if (ok && !done.ok)
        report_fault(of->file, step, &done);
    ok = ok && done.ok && check_asks_answer(stepper, ask, done.text, done.len);
    exec_done_release(&done);
    return ok;
}

void check_step_programs(struct jobfile *file, struct exec_pool *pool)
{
    struct programs of = {file, pool};

    if (dataset_size(file->dataset) > 0)
        check_asks(file, 0, ANSWERER_EXEC, ask_program, &of);
}
