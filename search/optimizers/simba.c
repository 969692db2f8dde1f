// simba: the model's own variance shows what can be learned.
//
// A step takes a minibatch of training rows and runs each several times at
// temperature 1, with programs drawn from the best so far. A row that was
// answered rightly once and wrongly another time teaches most: rows are ordered
// by the gap between their best and their worst run. From the first of them new
// programs are made, each from one drawn from the best so far, by one of two
// ways:
//
//   a demo   the best run of the row becomes a demo of each step
//   a rule   the teacher compares the best and the worst run, and its advice to
//            each step is appended to the step's instruction
//
// Before that some demos of the program are dropped by chance, so that their
// number stays near max_demos. All new programs are scored on the minibatch.
// The best of each step is its winner, and is evaluated on all validation rows.
//
// Source: SIMBA of DSPy 3.4, "stochastic introspective mini-batch ascent",
// whose names and defaults the parameters have (docs/dspy.md).

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/utf8.h"
#include "program/graph/kind.h"
#include "program/prompt/prompt.h"
#include "search/optimizers/optimizer.h"
#include "search/toolkit/demo_set.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/labels.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/prose.h"
#include "search/toolkit/shown.h"
#include "search/toolkit/teacher.h"

struct params {
    int64_t bsize;
    int64_t num_candidates;
    int64_t max_steps;
    int64_t max_demos;
    int64_t demo_input_field_maxlen;
    double temperature_for_sampling;
    double temperature_for_candidates;
    int64_t seed;
};

#define AT(member) offsetof(struct params, member)

static const struct param params[] = {
    {"bsize", PARAM_INT, AT(bsize), 1, 1e6, 32, NULL,
     "training rows of a minibatch"},
    {"num_candidates", PARAM_INT, AT(num_candidates), 1, 1000, 6, NULL,
     "runs of each row at temperature 1; a minibatch leads to one new "
     "program more than that"},
    {"max_steps", PARAM_INT, AT(max_steps), 1, 1e6, 8, NULL, "minibatches"},
    {"max_demos", PARAM_INT, AT(max_demos), 0, 1000, 4, NULL,
     "when a step has so many demos, some are dropped; 0: only rules are "
     "added"},
    {"demo_input_field_maxlen", PARAM_INT, AT(demo_input_field_maxlen), 1, 1e9,
     100000, NULL, "bytes of an input that a demo keeps"},
    {"temperature_for_sampling", PARAM_NUMBER, AT(temperature_for_sampling),
     0.001, 100, 0.2, NULL,
     "how evenly the programs for the runs are drawn; the lower, the more "
     "often the best ones"},
    {"temperature_for_candidates", PARAM_NUMBER, AT(temperature_for_candidates),
     0.001, 100, 0.2, NULL, "the same of the programs that are changed"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 0, NULL, "of the random numbers"},
};

enum {
    RULE_FIELDS = PROGRAM_MAX_STEPS + 1,
    ADVICE_NAME_BYTES = 96,
    LEAST_VALUE_BYTES = 40,
};

struct member {
    struct candidate *candidate; // owned
    double score;                // on the minibatch that it was made for
};

// A row of the minibatch and its runs, the best first. A run without a score,
// since the row is excluded or its judge failed, is none of them.
struct bucket {
    size_t row;
    const struct task_item **items; // borrowed from the runs
    size_t n;
    double gap, most, above_mean;
};

// One candidate's share of a step's runs.
struct batch_run {
    struct runs *runs; // owned
    size_t *places;    // owned: of its items among all, model by model
};

struct simba_search {
    struct session *session;
    const struct params *params;
    struct leader leader;
    struct form rule;
    char (*advice)[ADVICE_NAME_BYTES]; // owned: field names of the form
    size_t *parts;                     // owned: predictors that the plan runs
    size_t n_parts;
    size_t *order; // owned: training rows as this epoch shuffled them
    size_t n_train;
    size_t at; // rows of it that were used
    size_t epochs;
    struct member *pool; // owned; [0] is the program as written
    size_t n_pool;
    int64_t made; // rules and demos, for their numbers
    // of the step under way
    struct rng rng;
    size_t *batch; // owned: rows
    size_t n_batch;
    size_t n_models;
    size_t *top; // owned: in the pool
    size_t n_top;
    struct batch_run *runs; // owned
    size_t n_runs;
    const struct task_item **items; // owned: model by model
    struct bucket *buckets;         // owned
    double low, high;               // 10th and 90th percentile of all scores
};

// --- the pool

static bool add_member(struct simba_search *search, struct candidate *candidate,
                       double score, struct err *err)
{
    struct member *more =
        realloc(search->pool, (search->n_pool + 1) * sizeof *more);

    if (more == NULL) {
        err_nomem(err, "a pool of programs");
        return false;
    }
    search->pool = more;
    search->pool[search->n_pool++] =
        (struct member){candidate_ref(candidate), score};
    return true;
}

// The best num_candidates of the pool, the earlier of equals first; the program
// as written takes the last place where it is not among them.
static bool choose_top(struct simba_search *search, struct err *err)
{
    size_t most = (size_t)search->params->num_candidates;
    size_t *order = calloc(search->n_pool + 1, sizeof *order);
    bool has_first = false;

    if (order == NULL) {
        err_nomem(err, "a pool of programs");
        return false;
    }
    for (size_t i = 0; i < search->n_pool; i++) {
        size_t at = i;
        for (; at > 0 &&
               search->pool[order[at - 1]].score < search->pool[i].score;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    search->n_top = search->n_pool < most ? search->n_pool : most;
    for (size_t i = 0; i < search->n_top; i++)
        has_first = has_first || order[i] == 0;
    if (!has_first)
        order[search->n_top - 1] = 0;
    free(search->top);
    search->top = order;
    return true;
}

// One of the top, by the softmax of score / temperature.
static size_t draw_member(struct simba_search *search, double temperature)
{
    double total = 0;
    double most = 0;

    // Less the greatest, so that no power overflows.
    for (size_t i = 0; i < search->n_top; i++)
        most = fmax(most, search->pool[search->top[i]].score);
    for (size_t i = 0; i < search->n_top; i++)
        total += exp((search->pool[search->top[i]].score - most) / temperature);
    double at = rng_double(&search->rng) * total;
    for (size_t i = 0; i + 1 < search->n_top; i++) {
        at -= exp((search->pool[search->top[i]].score - most) / temperature);
        if (at < 0)
            return search->top[i];
    }
    return search->top[search->n_top - 1];
}

// --- sampling

static bool take_batch(struct simba_search *search, struct err *err)
{
    size_t n = (size_t)search->params->bsize;

    if (n > search->n_train)
        n = search->n_train;
    if (search->epochs == 0 || search->at + n > search->n_train) {
        struct rng rng =
            session_rng(search->session, "minibatches", search->epochs++);
        rng_shuffle(&rng, search->order, search->n_train);
        search->at = 0;
    }
    free(search->batch);
    search->batch = calloc(n + 1, sizeof *search->batch);
    if (search->batch == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    memcpy(search->batch, search->order + search->at,
           n * sizeof *search->batch);
    search->n_batch = n;
    search->at += n;
    return true;
}

static bool submit_runs(struct simba_search *search, int64_t step, size_t model,
                        size_t member, const size_t *rows, size_t n,
                        struct batch_run *run, struct err *err)
{
    const struct runs_request request = {
        .program = session_job(search->session)->program,
        .plan = session_plan(search->session),
        .candidate = search->pool[member].candidate,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = 1,
                     .purpose = "sample",
                     .draw = step * (int64_t)search->n_models + (int64_t)model},
        .scored = true,
        .rows = rows,
        .n = n,
    };

    run->runs = runs_submit(search->session, &request, err);
    return run->runs != NULL;
}

// The rows of one model that one member was drawn for.
static bool run_share(struct simba_search *search, int64_t step, size_t model,
                      size_t member, const size_t *drawn, struct err *err)
{
    struct batch_run *run = &search->runs[search->n_runs];
    size_t *rows = calloc(search->n_batch + 1, sizeof *rows);
    size_t n = 0;
    bool ok = true;

    run->places = calloc(search->n_batch + 1, sizeof *run->places);
    search->n_runs++;
    if (rows == NULL || run->places == NULL) {
        err_nomem(err, "a minibatch");
        free(rows);
        return false;
    }
    for (size_t i = 0; i < search->n_batch; i++) {
        if (drawn[i] != member)
            continue;
        run->places[n] = model * search->n_batch + i;
        rows[n++] = search->batch[i];
    }
    if (n > 0)
        ok = submit_runs(search, step, model, member, rows, n, run, err);
    free(rows);
    return ok;
}

static bool sample_model(struct simba_search *search, int64_t step,
                         size_t model, struct err *err)
{
    double temperature = search->params->temperature_for_sampling;
    size_t *drawn = calloc(search->n_batch + 1, sizeof *drawn);
    bool ok = drawn != NULL;

    if (!ok)
        err_nomem(err, "a minibatch");
    for (size_t i = 0; ok && i < search->n_batch; i++)
        drawn[i] = draw_member(search, temperature);
    for (size_t i = 0; ok && i < search->n_top; i++)
        ok = run_share(search, step, model, search->top[i], drawn, err);
    free(drawn);
    return ok;
}

static bool sample(struct simba_search *search, int64_t step, struct err *err)
{
    size_t all = search->n_models * search->n_top;

    search->runs = calloc(all + 1, sizeof *search->runs);
    search->items = calloc(search->n_models * search->n_batch + 1,
                           sizeof(struct task_item *));
    if (search->runs == NULL || search->items == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t model = 0; model < search->n_models; model++) {
        if (!sample_model(search, step, model, err))
            return false;
    }
    for (size_t i = 0; i < search->n_runs; i++) {
        struct runs *runs = search->runs[i].runs;
        if (runs != NULL && !runs_wait(search->session, runs, err))
            return false;
        for (size_t k = 0; runs != NULL && k < runs->n; k++)
            search->items[search->runs[i].places[k]] = &runs->items[k];
    }
    return true;
}

// --- buckets

static void sort_items(const struct task_item **items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct task_item *one = items[i];
        size_t at = i;
        for (; at > 0 && items[at - 1]->score < one->score; at--)
            items[at] = items[at - 1];
        items[at] = one;
    }
}

static bool fill_bucket(const struct simba_search *search, size_t place,
                        struct bucket *bucket, struct err *err)
{
    double sum = 0;

    bucket->row = search->batch[place];
    bucket->items = calloc(search->n_models, sizeof(struct task_item *));
    if (bucket->items == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t model = 0; model < search->n_models; model++) {
        const struct task_item *item =
            search->items[model * search->n_batch + place];
        if (!item->scored)
            continue;
        bucket->items[bucket->n++] = item;
        sum += item->score;
    }
    if (bucket->n == 0)
        return true;
    sort_items(bucket->items, bucket->n);
    bucket->most = bucket->items[0]->score;
    bucket->gap = bucket->most - bucket->items[bucket->n - 1]->score;
    bucket->above_mean = bucket->most - sum / (double)bucket->n;
    return true;
}

static bool comes_before(const struct bucket *a, const struct bucket *b)
{
    if (a->gap != b->gap)
        return a->gap > b->gap;
    if (a->most != b->most)
        return a->most > b->most;
    return a->above_mean > b->above_mean;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Between the two nearest, in proportion; n > 0 sorted values.
static double percentile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < n ? low + 1 : low;

    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

static bool find_percentiles(struct simba_search *search, struct err *err)
{
    size_t all = search->n_models * search->n_batch;
    double *scores = calloc(all + 1, sizeof *scores);
    size_t n = 0;

    if (scores == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t i = 0; i < all; i++) {
        if (search->items[i]->scored)
            scores[n++] = search->items[i]->score;
    }
    qsort(scores, n, sizeof *scores, compare_doubles);
    search->low = n > 0 ? percentile(scores, n, 0.1) : 0;
    search->high = n > 0 ? percentile(scores, n, 0.9) : 0;
    free(scores);
    return true;
}

static bool make_buckets(struct simba_search *search, struct err *err)
{
    search->buckets = calloc(search->n_batch, sizeof *search->buckets);
    if (search->buckets == NULL) {
        err_nomem(err, "a minibatch");
        return false;
    }
    for (size_t i = 0; i < search->n_batch; i++) {
        if (!fill_bucket(search, i, &search->buckets[i], err))
            return false;
    }
    for (size_t i = 1; i < search->n_batch; i++) {
        struct bucket one = search->buckets[i];
        size_t at = i;
        for (; at > 0 && comes_before(&one, &search->buckets[at - 1]); at--)
            search->buckets[at] = search->buckets[at - 1];
        search->buckets[at] = one;
    }
    return find_percentiles(search, err);
}

// --- a new program: its demos

// By Knuth's multiplication of uniforms; mean is small.
static size_t draw_poisson(struct rng *rng, double mean)
{
    double limit = exp(-mean);
    double product = rng_double(rng);
    size_t n = 0;

    for (; product > limit; n++)
        product *= rng_double(rng);
    return n;
}

static size_t most_demos(const struct candidate *candidate)
{
    size_t most = 0;
    for (size_t p = 0; p < candidate->n_parts; p++) {
        if (candidate->parts[p].n_demos > most)
            most = candidate->parts[p].n_demos;
    }
    return most;
}

// Leaves out the demos at the places that are drawn, the same in every step.
static bool drop_demos(struct simba_search *search, struct candidate *child,
                       struct err *err)
{
    size_t n = most_demos(child);
    size_t limit =
        search->params->max_demos > 0 ? (size_t)search->params->max_demos : 3;
    size_t drop = draw_poisson(&search->rng, (double)n / (double)limit);
    bool *gone = calloc(n + 1, sizeof *gone);
    struct demo *kept = calloc(n + 1, sizeof *kept);
    bool ok = gone != NULL && kept != NULL;

    if (!ok)
        err_nomem(err, "demos");
    if (drop < 1 && n >= limit)
        drop = 1;
    if (drop > n)
        drop = n;
    for (size_t i = 0; ok && i < drop; i++)
        gone[rng_below(&search->rng, n)] = true;
    for (size_t p = 0; ok && drop > 0 && p < child->n_parts; p++) {
        const struct candidate_part *part = &child->parts[p];
        size_t left = 0;
        for (size_t i = 0; i < part->n_demos; i++) {
            if (!gone[i])
                kept[left++] = part->demos[i];
        }
        ok = candidate_set_demos(child, p, part->demo_set_no, kept, left, err);
    }
    free(gone);
    free(kept);
    return ok;
}

// Long inputs of a demo are cut; its fields are changed in a copy.
static bool cut_inputs(const struct simba_search *search,
                       const struct step *step, struct demo *demo,
                       struct err *err)
{
    size_t most = (size_t)search->params->demo_input_field_maxlen;

    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        const char *name = step->signature.inputs[i].name;
        const char *text = json_get_text(demo->fields, name, NULL);
        if (text == NULL || strlen(text) <= most)
            continue;
        json_t *copy = json_copy(demo->fields);
        json_t *cut = json_stringn(text, utf8_cut(text, most));
        if (copy == NULL || cut == NULL ||
            json_object_set_new(copy, name, cut) != 0) {
            json_decref(copy);
            err_nomem(err, "a demo");
            return false;
        }
        json_decref(demo->fields);
        demo->fields = copy;
    }
    return true;
}

static bool append_demo(struct simba_search *search, struct candidate *child,
                        size_t predictor, const struct demo *demo,
                        struct err *err)
{
    const struct candidate_part *part = &child->parts[predictor];
    struct demo *demos = calloc(part->n_demos + 1, sizeof *demos);

    if (demos == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    if (part->n_demos > 0)
        memcpy(demos, part->demos, part->n_demos * sizeof *demos);
    demos[part->n_demos] = *demo;
    bool ok = candidate_set_demos(child, predictor, (int)search->made, demos,
                                  part->n_demos + 1, err);
    free(demos);
    return ok;
}

// The best run of the row as a demo of each step.
static bool add_demo(struct simba_search *search, const struct bucket *bucket,
                     struct candidate *child, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    const struct task_item *good = bucket->items[0];

    search->made++;
    if (bucket->n == 0 || good->score <= search->low ||
        good->outcome != RUN_DONE)
        return true;
    for (size_t i = 0; i < search->n_parts; i++) {
        int step = program->predictors[search->parts[i]];
        struct demo demo = {0};
        if (good->step_outputs[step] == NULL)
            continue;
        if (!labels_demo_of_run(program, session_dataset(search->session), step,
                                bucket->row, good->step_inputs[step],
                                good->step_outputs[step], &demo, err))
            return false;
        bool ok = demo.fields == NULL ||
                  (cut_inputs(search, &program->steps[step], &demo, err) &&
                   append_demo(search, child, search->parts[i], &demo, err));
        json_decref(demo.fields);
        if (!ok)
            return false;
    }
    return true;
}

// --- a new program: its rules

static bool init_rule_form(struct simba_search *search, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    struct field told[RULE_FIELDS];
    const struct field shown[] = {
        form_text("program", "The steps of the program"),
        form_text("example", "What the program was given, and what else is "
                             "known of the example; no step sees the latter"),
        form_text("better_run", "What each step read and gave in the better "
                                "run, and what that was worth"),
        form_text("worse_run", "The same of the worse run"),
    };

    search->advice = calloc(search->n_parts + 1, sizeof *search->advice);
    if (search->advice == NULL) {
        err_nomem(err, "a question to the teacher");
        return false;
    }
    told[0] = form_text("discussion", "Which step went wrong, where, and why");
    for (size_t i = 0; i < search->n_parts; i++) {
        const struct step *step = program_predictor(program, search->parts[i]);
        snprintf(search->advice[i], ADVICE_NAME_BYTES, "advice_to_%s",
                 step->name);
        told[i + 1] = form_text(
            search->advice[i],
            "A rule for this step: when its input is such and such, what it "
            "should do and what it should avoid");
    }
    return form_init(
        &search->rule, "advise",
        "Two runs of a program of language-model steps on one example are "
        "shown. Give each step advice that would have made the worse run like "
        "the better one, and that holds for other inputs of this kind, too. A "
        "step sees its own inputs and your advice, not these runs. Be "
        "concrete: say what to look for and what to do then. Advice that could "
        "be given to anybody helps nobody.",
        shown, sizeof shown / sizeof *shown, told, search->n_parts + 1, err);
}

// NULL for a run that has nothing to say beside the other.
static void put_run(struct buf *out, const struct simba_search *search,
                    const struct task_item *item, size_t max)
{
    const struct program *program = session_job(search->session)->program;

    if (item == NULL) {
        buf_puts(out, "There is none.");
        return;
    }
    for (size_t s = 0; s < program->n_steps; s++) {
        if (item->step_inputs[s] == NULL || program->steps[s].predictor < 0)
            continue;
        buf_printf(out, "## %s\nreads:\n", program->steps[s].name);
        shown_fields(out, item->step_inputs[s], max);
        buf_puts(out, "gives:\n");
        if (item->step_outputs[s] != NULL)
            shown_fields(out, item->step_outputs[s], max);
        else
            buf_puts(out, "nothing that could be read\n");
    }
    buf_printf(out, "The score is %.2f of 1. ", item->score);
    if (item->feedback != NULL)
        shown_text(out, item->feedback, 2 * max);
}

struct rule_texts {
    struct buf program, example, better, worse;
};

static void put_texts(struct rule_texts *texts,
                      const struct simba_search *search,
                      const struct bucket *bucket,
                      const struct task_item *better,
                      const struct task_item *worse, size_t max)
{
    json_t *fields =
        dataset_fields(session_dataset(search->session), (size_t)bucket->row);

    buf_clear(&texts->example);
    buf_clear(&texts->better);
    buf_clear(&texts->worse);
    shown_fields(&texts->example, fields, max);
    json_decref(fields);
    put_run(&texts->better, search, better, max);
    put_run(&texts->worse, search, worse, max);
}

static bool texts_fit(const struct rule_texts *texts, int64_t room)
{
    size_t bytes = texts->program.len + texts->example.len + texts->better.len +
                   texts->worse.len;

    return (int64_t)prompt_estimate_tokens(bytes) <= room;
}

static json_t *rule_inputs(const struct simba_search *search,
                           const struct bucket *bucket,
                           const struct task_item *better,
                           const struct task_item *worse)
{
    struct rule_texts texts = {
        BUF_INIT(SHOWN_MAX_BYTES), BUF_INIT(SHOWN_MAX_BYTES),
        BUF_INIT(SHOWN_MAX_BYTES), BUF_INIT(SHOWN_MAX_BYTES)};
    int64_t room = teacher_room(search->session);
    json_t *inputs = NULL;

    shown_program(&texts.program, session_job(search->session)->program);
    for (size_t max = SHOWN_VALUE_BYTES;; max /= 2) {
        put_texts(&texts, search, bucket, better, worse, max);
        if (max <= LEAST_VALUE_BYTES || texts_fit(&texts, room))
            break;
    }
    if (!texts.program.failed && !texts.example.failed &&
        !texts.better.failed && !texts.worse.failed)
        inputs =
            json_pack("{s:s, s:s, s:s, s:s}", "program", texts.program.data,
                      "example", texts.example.data, "better_run",
                      texts.better.data, "worse_run", texts.worse.data);
    buf_release(&texts.program);
    buf_release(&texts.example);
    buf_release(&texts.better);
    buf_release(&texts.worse);
    return inputs;
}

// Sends off the question that a rule comes from; where the two runs have
// nothing to teach, question->form stays NULL.
static bool ask_rule(struct simba_search *search, const struct bucket *bucket,
                     struct question *question, struct err *err)
{
    search->made++;
    if (bucket->n == 0)
        return true;
    const struct task_item *better = bucket->items[0];
    const struct task_item *worse = bucket->items[bucket->n - 1];
    if (better->score <= search->low || worse->score >= search->high)
        return true;
    if (better->score <= worse->score) {
        if (better->score > search->high)
            worse = NULL;
        else
            better = NULL;
    }
    *question = (struct question){
        .form = &search->rule,
        .inputs = rule_inputs(search, bucket, better, worse),
        .purpose = "advise",
        .temperature = -1,
        .draw = search->made,
        .prose = true,
    };
    if (question->inputs == NULL) {
        err_nomem(err, "a question to the teacher");
        return false;
    }
    return question_submit(search->session, question, err);
}

// "None", "n/a" and the like are no advice.
static bool is_advice(const char *text)
{
    static const char *const empty[] = {"none",    "none.",     "n/a",
                                        "nothing", "no advice", "no change"};

    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        if (prose_same(text, empty[i]))
            return false;
    }
    return text[0] != '\0';
}

static bool append_rule(struct simba_search *search, struct candidate *child,
                        size_t predictor, const char *advice, struct err *err)
{
    struct buf text = BUF_INIT(SHOWN_MAX_BYTES);
    bool ok = true;

    buf_printf(&text, "%s\n\n%s", child->parts[predictor].instruction, advice);
    // An instruction that has no room for it stays as it is.
    if (!buf_ok(&text, "an instruction", err))
        ok = false;
    else if (text.len <= INSTRUCTION_MAX_BYTES)
        ok = candidate_set_instruction(child, predictor, (int)search->made,
                                       text.data, err);
    buf_release(&text);
    return ok;
}

static bool add_rules(struct simba_search *search, struct question *question,
                      struct candidate *child, struct err *err)
{
    if (question->form == NULL)
        return true;
    if (!question_wait(search->session, question, err))
        return false;
    for (size_t i = 0; question->answer != NULL && i < search->n_parts; i++) {
        const char *text =
            json_get_text(question->answer, search->advice[i], "");
        char *advice = instruction_clean(text);
        bool ok = advice != NULL;
        if (!ok)
            err_nomem(err, "advice");
        else if (is_advice(advice))
            ok = append_rule(search, child, search->parts[i], advice, err);
        free(advice);
        if (!ok)
            return false;
    }
    return true;
}

// --- new programs

// One that is being made.
struct draft {
    struct candidate *child;  // owned; sealed in the end
    size_t source;            // in the pool
    struct question question; // of a rule
    struct trial *trial;
};

static bool begin_draft(struct simba_search *search,
                        const struct bucket *bucket, struct draft *draft,
                        struct err *err)
{
    double temperature = search->params->temperature_for_candidates;

    draft->source = draw_member(search, temperature);
    draft->child = candidate_child(search->pool[draft->source].candidate, err);
    if (draft->child == NULL || !drop_demos(search, draft->child, err))
        return false;
    bool demo =
        search->params->max_demos > 0 && rng_below(&search->rng, 2) == 0;
    return demo ? add_demo(search, bucket, draft->child, err)
                : ask_rule(search, bucket, &draft->question, err);
}

static bool is_known(const struct simba_search *search,
                     const struct draft *drafts, size_t n,
                     const struct candidate *candidate)
{
    for (size_t i = 0; i < search->n_pool; i++) {
        if (hash_equal(&search->pool[i].candidate->id, &candidate->id))
            return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (hash_equal(&drafts[i].child->id, &candidate->id))
            return true;
    }
    return false;
}

static void release_draft(struct draft *draft)
{
    question_release(&draft->question);
    candidate_unref(draft->child);
    *draft = (struct draft){0};
}

// Drafts from the next buckets, as many as are missing; those that came to
// nothing new are dropped. *n: of drafts that are ready.
static bool make_wave(struct simba_search *search, struct draft *drafts,
                      size_t *n, size_t most, size_t *bucket, struct err *err)
{
    size_t end = *n;

    for (; end < most && *bucket < search->n_batch; end++) {
        if (!begin_draft(search, &search->buckets[(*bucket)++], &drafts[end],
                         err))
            return false;
    }
    for (size_t i = *n; i < end; i++) {
        struct draft draft = drafts[i];
        drafts[i] = (struct draft){0};
        bool ok = add_rules(search, &draft.question, draft.child, err);
        if (ok)
            candidate_seal(draft.child);
        if (ok && !is_known(search, drafts, *n, draft.child))
            drafts[(*n)++] = draft;
        else
            release_draft(&draft);
        if (!ok)
            return false;
    }
    return true;
}

static bool score_drafts(struct simba_search *search, struct draft *drafts,
                         size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!leader_admit(&search->leader, err))
            return false;
        if (search->leader.over)
            return true;
        drafts[i].trial =
            trial_submit(search->session, TRIAL_MINIBATCH, drafts[i].child,
                         search->batch, search->n_batch, "variance", err);
        if (drafts[i].trial == NULL)
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!trial_wait(search->session, drafts[i].trial, err))
            return false;
    }
    return true;
}

// All drafts join the pool. The best of them is the step's winner, and is
// evaluated on all validation rows while the next step begins.
static bool keep_drafts(struct simba_search *search, const struct draft *drafts,
                        size_t n, struct err *err)
{
    size_t winner = search->n_pool;

    for (size_t i = 0; i < n; i++) {
        if (!add_member(search, drafts[i].child, drafts[i].trial->score, err))
            return false;
        if (search->pool[search->n_pool - 1].score > search->pool[winner].score)
            winner = search->n_pool - 1;
    }
    if (n == 0)
        return true;
    return leader_admit(&search->leader, err) &&
           (search->leader.over ||
            leader_try(&search->leader, search->pool[winner].candidate,
                       "winner", err));
}

static bool make_programs(struct simba_search *search, struct err *err)
{
    size_t most = (size_t)search->params->num_candidates + 1;
    struct draft *drafts = calloc(most, sizeof *drafts);
    size_t n = 0;
    size_t bucket = 0;
    bool ok = drafts != NULL;

    if (!ok)
        err_nomem(err, "new programs");
    while (ok && n < most && bucket < search->n_batch)
        ok = make_wave(search, drafts, &n, most, &bucket, err);
    ok = ok && score_drafts(search, drafts, n, err);
    if (ok && !search->leader.over)
        ok = keep_drafts(search, drafts, n, err);
    for (size_t i = 0; drafts != NULL && i < most; i++)
        release_draft(&drafts[i]);
    free(drafts);
    return ok;
}

// --- the whole

static void end_step(struct simba_search *search)
{
    for (size_t i = 0; search->runs != NULL && i < search->n_runs; i++) {
        runs_drop(search->session, search->runs[i].runs);
        free(search->runs[i].places);
    }
    for (size_t i = 0; search->buckets != NULL && i < search->n_batch; i++)
        free(search->buckets[i].items);
    free(search->runs);
    free(search->items);
    free(search->buckets);
    search->runs = NULL;
    search->items = NULL;
    search->buckets = NULL;
    search->n_runs = 0;
}

// A step runs its rows with each program that is drawn, and with each new one;
// a new program is a demo or the teacher's advice, and the best is evaluated on
// all validation rows.
static struct effort effort_of(const struct session *session,
                               const struct params *values, int64_t steps)
{
    const struct split *split = session_split(session);
    size_t models = (size_t)values->num_candidates;
    size_t rows = (size_t)values->bsize < split->n[SHARE_TRAIN]
                      ? (size_t)values->bsize
                      : split->n[SHARE_TRAIN];
    size_t step =
        rows * (models + models + 1) + (models + 1) / 2 + split->n[SHARE_VAL];

    return (struct effort){.examples = (size_t)steps * step};
}

static struct effort effort(struct session *session, const void *given)
{
    const struct params *values = given;

    return effort_of(session, values, values->max_steps);
}

static bool run_step(struct simba_search *search, int64_t step, struct err *err)
{
    search->rng = session_rng(search->session, "steps", (uint64_t)step);
    bool ok = take_batch(search, err) && choose_top(search, err) &&
              sample(search, step, err) && make_buckets(search, err) &&
              make_programs(search, err);

    end_step(search);
    return ok;
}

static bool begin_search(struct simba_search *search, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    const struct plan *plan = session_plan(search->session);
    // Nothing is tried yet: the best is the program as written.
    const struct trial *baseline = session_baseline_trial(search->session);
    const struct trial *seed = session_seed_trial(search->session);

    search->parts = calloc(program->n_predictors + 1, sizeof *search->parts);
    search->order = calloc(search->n_train + 1, sizeof *search->order);
    if (search->parts == NULL || search->order == NULL) {
        err_nomem(err, "a search");
        return false;
    }
    memcpy(search->order, session_split(search->session)->rows[SHARE_TRAIN],
           search->n_train * sizeof *search->order);
    for (size_t i = 0; i < program->n_predictors; i++) {
        if (plan->runs[program->predictors[i]])
            search->parts[search->n_parts++] = i;
    }
    return add_member(search, session_baseline(search->session),
                      baseline->score, err) &&
           (seed == NULL ||
            add_member(search, seed->candidate, seed->score, err)) &&
           init_rule_form(search, err);
}

static bool run_steps(struct simba_search *search, struct err *err)
{
    session_phase(search->session, "search");
    for (int64_t i = 0; i < search->params->max_steps; i++) {
        session_expect(search->session,
                       effort_of(search->session, search->params,
                                 search->params->max_steps - i));
        if (!run_step(search, i, err))
            return false;
        if (search->leader.over)
            break;
    }
    return true;
}

static void release_search(struct simba_search *search)
{
    end_step(search);
    for (size_t i = 0; i < search->n_pool; i++)
        candidate_unref(search->pool[i].candidate);
    free(search->pool);
    free(search->top);
    free(search->batch);
    free(search->order);
    free(search->parts);
    form_release(&search->rule);
    free(search->advice);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    const struct params *values = given;
    struct simba_search search = {
        .session = session,
        .params = values,
        .leader = leader_of(session, 1.0),
        .n_train = session_split(session)->n[SHARE_TRAIN],
        .n_models = (size_t)values->num_candidates,
    };
    bool ok = true;

    if (search.leader.over || search.n_train == 0)
        return true;
    ok = begin_search(&search, err);
    if (ok && search.n_parts > 0)
        ok = run_steps(&search, err);
    ok = leader_end(&search.leader, ok, err);
    release_search(&search);
    return ok;
}

const struct optimizer simba = {
    .name = "simba",
    .help = "rules and demos from rows that the model answers now right, now "
            "wrong",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .seeds = true,
    .effort = effort,
    .run = run,
};
