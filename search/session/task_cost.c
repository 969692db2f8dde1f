#include "search/session/task_cost.h"

#include "program/graph/search_spec.h"
#include "program/metric/metric.h"
#include "program/run/stepper.h"

int64_t task_cost_least(const struct job *job, const struct task *task)
{
    size_t outside = task->scored ? metric_ask_count(job->metric) : 0;

    if (task->role == ROLE_EMBED)
        return 1;
    return stepper_asks(task->program, task->plan) + (int64_t)outside;
}

// Returns how often one item may ask for an embedding: of a query, or of a
// question whose demos are picked by embeddings.
static int64_t count_embeddings(const struct task *task)
{
    int64_t n =
        (int64_t)search_embeddings(task->program, task->candidate->values);

    if (task->program->pools_by == SEARCH_BY_EMBEDDINGS)
        for (size_t p = 0; p < task->candidate->n_parts; p++)
            n += task->candidate->parts[p].nearest > 0;
    return n;
}

struct use task_cost_most(const struct job *job, const struct task *task)
{
    struct call_options options = task_options(task);
    struct use embedding = {1, job->models[ROLE_EMBED].options.num_ctx};
    int64_t searches = count_embeddings(task);
    int64_t asks = (int64_t)plan_predictors(task->plan, task->program, NULL);
    int64_t repairs = asks * (STEPPER_ATTEMPTS - 1);
    struct use most = {task_cost_least(job, task) + repairs,
                       (asks + repairs) *
                           (options.num_ctx + options.num_predict)};

    if (task->role == ROLE_EMBED)
        return embedding;
    most.calls += searches * embedding.calls;
    most.tokens += searches * embedding.tokens;
    if (task->scored && metric_asks_model(job->metric)) {
        int64_t judged = (int64_t)metric_ask_count(job->metric);

        options = job->models[ROLE_JUDGE].options;
        most.calls += judged * (METRIC_TRIES - 1);
        most.tokens +=
            judged * METRIC_TRIES * (options.num_ctx + options.num_predict);
    }
    return most;
}
