#include "cli/checks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check_data.h"
#include "cli/check_embeddings.h"
#include "cli/check_models.h"
#include "cli/check_passages.h"
#include "cli/check_steps.h"
#include "cli/jobfile_files.h"
#include "cli/replies.h"
#include "common/file.h"
#include "common/json.h"
#include "exec/exec_pool.h"
#include "program/graph/candidate.h"
#include "program/metric/metric.h"
#include "program/run/compiled.h"
#include "search/session/fit.h"
#include "store/query.h"

enum { LINE_BYTES = 16 << 20 };
static const double AT_THE_TOP = 0.97;

static void tell_nomem(struct jobfile *file, const struct err *err)
{
    if (err->code == ERR_NOMEM)
        file->diags->nomem = true;
}

static void check_examples(struct jobfile *file, const struct options *options)
{
    (void)options;
    check_data(file);
}

// --- the context ---

// Checks that the longest prompt and a reply of num_predict tokens fit
// together.
static void check_context(struct jobfile *file, const struct options *options)
{
    const struct job *job = file->job;
    struct err err = ERR_CLEAR;
    (void)options;
    struct fit *fit = fit_new(job, file->dataset, &file->plan, &err);
    struct candidate *baseline =
        fit == NULL ? NULL : candidate_new(job->program, &err);

    if (baseline != NULL) {
        candidate_seal(baseline);
        if (!fit_check(fit, baseline, &err) && err.code == ERR_INPUT)
            diag_add(file->diags, DIAG_WARNING, "does-not-fit",
                     &job->models[ROLE_STUDENT].place, "%s", err.text);
    }
    tell_nomem(file, &err);
    candidate_unref(baseline);
    fit_free(fit);
}

// --- an earlier run ---

static void check_from(struct jobfile *file, const struct options *options)
{
    const struct job *job = file->job;
    const struct bundle_file *from =
        job->from == NULL ? NULL : bundle_find(file->bundle, job->from);
    struct err err = ERR_CLEAR;

    (void)options;
    if (from == NULL)
        return;
    candidate_unref(compiled_candidate(job->program, job->from, from->data,
                                       from->len, &err));
    if (err.code != ERR_NONE && err.code != ERR_NOMEM)
        diag_add(file->diags, DIAG_ERROR, "from", &job->from_place, "%s",
                 err.text);
    if (err.code == ERR_INPUT)
        diag_remedy(file->diags, "begin without --from (or `from`), or name a "
                                 "file that was compiled from this program");
    tell_nomem(file, &err);
}

// --- programs of the metric ---

// A right answer consists of a row's own labels, a wrong one of the labels of a
// row that has different ones.
struct answers {
    size_t row;
    json_t *right; // owned
    json_t *wrong; // owned
};

static json_t *labels_of(const struct program *program, const json_t *fields,
                         size_t *known)
{
    json_t *outputs = json_object();

    *known = 0;
    for (size_t i = 0; outputs != NULL && i < program->n_outputs; i++) {
        const char *name = program->outputs[i].name;
        json_t *label = json_object_get(fields, name);
        *known += label != NULL;
        if (json_object_set_new(outputs, name,
                                label == NULL ? json_null()
                                              : json_incref(label)) != 0) {
            json_decref(outputs);
            outputs = NULL;
        }
    }
    return outputs;
}

static bool find_answers(const struct jobfile *file, struct answers *out)
{
    const struct program *program = file->job->program;
    size_t known = 0;

    for (size_t i = 0; i < dataset_size(file->dataset) && out->wrong == NULL;
         i++) {
        json_t *fields = dataset_fields(file->dataset, i);
        json_t *labels = labels_of(program, fields, &known);

        json_decref(fields);
        if (labels == NULL || known == 0) {
            json_decref(labels);
        } else if (out->right == NULL) {
            out->right = labels;
            out->row = i;
        } else if (!json_equal(labels, out->right)) {
            out->wrong = labels;
        } else {
            json_decref(labels);
        }
    }
    return out->right != NULL;
}

static void report_fault(struct jobfile *file, const struct exec_done *done)
{
    struct place place = {.file = file->path};

    diag_add(file->diags, DIAG_ERROR, "metric-program", &place,
             "the metric's program does not answer: %s", done->fault.text);
    if (done->errors != NULL && done->errors[0] != '\0')
        diag_remedy(file->diags, "it last printed: %s", done->errors);
}

// Gets the score that a part gives the outputs. Returns false if there is none,
// which is reported, or if the part does not ask a program.
static bool ask_part(struct jobfile *file, struct exec_pool *pool, size_t part,
                     size_t row, const json_t *outputs, double *score)
{
    const struct metric *metric = file->job->metric;
    struct buf line = BUF_INIT(LINE_BYTES);
    struct exec_done done = {0};
    struct ask ask = {0};
    struct err err = ERR_CLEAR;
    json_t *fields = dataset_fields(file->dataset, row);
    const struct metric_case given = {.example = fields, .outputs = outputs};
    bool ok = fields != NULL &&
              metric_ask(metric, part, &given, &line, &ask, &err) &&
              ask.answerer == ANSWERER_EXEC &&
              exec_pool_begin(pool, job_command_number(file->job, ask.command),
                              part, ask.payload, ask.payload_len, &err);

    ok = ok && check_await(pool, ask.command->timeout_ms, &done);
    if (ok && !done.ok)
        report_fault(file, &done);
    ok = ok && done.ok;
    struct score got = {0};
    if (ok && !score_read(done.text, done.len, &got, &err)) {
        done.fault = err;
        report_fault(file, &done);
        ok = false;
    }
    *score = got.value;
    tell_nomem(file, &err);
    score_release(&got);
    exec_done_release(&done);
    json_decref(fields);
    buf_release(&line);
    return ok;
}

static void compare_scores(struct jobfile *file, double right, double wrong,
                           const struct answers *answers)
{
    struct row_place row = dataset_place(file->dataset, answers->row);
    struct place place = {.file = row.path, .line = row.line, .column = 1};

    if (answers->wrong != NULL && right == wrong)
        diag_add(file->diags, DIAG_WARNING, "metric-program", &place,
                 "the metric's program gives the labels of this example, and "
                 "those of another, the same score, %g",
                 right);
    else if (right <= 0)
        diag_add(file->diags, DIAG_WARNING, "metric-program", &place,
                 "the metric's program gives the labels of this example, "
                 "which are right, the score %g",
                 right);
    else
        return;
    diag_remedy(file->diags, "it gets {\"example\": ..., \"outputs\": ...}; "
                             "check that it compares the two");
}

static void try_part(struct jobfile *file, struct exec_pool *pool, size_t part)
{
    struct answers answers = {0};
    double right = 0;
    double wrong = 0;

    if (find_answers(file, &answers) &&
        ask_part(file, pool, part, answers.row, answers.right, &right) &&
        (answers.wrong == NULL ||
         ask_part(file, pool, part, answers.row, answers.wrong, &wrong)))
        compare_scores(file, right, wrong, &answers);
    json_decref(answers.right);
    json_decref(answers.wrong);
}

static void check_programs(struct jobfile *file, const struct options *options)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    struct exec_command list[JOB_MAX_COMMANDS];
    size_t n = job_commands(file->job, commands); // the metric's come first
    char *folder = n == 0 ? NULL : file_folder(file->path);
    struct place place = {.file = file->path};
    struct err err = ERR_CLEAR;

    (void)options;
    if (folder == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct exec_command){.argv = commands[i]->argv,
                                        .timeout_ms = commands[i]->timeout_ms,
                                        .what = commands[i]->what,
                                        .check = commands[i]->check,
                                        .of = commands[i]->of};
    struct exec_pool_options how = {
        .commands = list, .n_commands = n, .folder = folder, .processes = 1};
    struct exec_pool *pool = exec_pool_start(&how, &err);
    if (pool == NULL && err.code != ERR_NOMEM)
        diag_add(file->diags, DIAG_ERROR, "program", &place, "%s", err.text);
    for (size_t i = 0; pool != NULL && i < metric_ask_count(file->job->metric);
         i++)
        try_part(file, pool, i);
    if (pool != NULL)
        check_step_programs(file, pool);
    tell_nomem(file, &err);
    exec_pool_stop(pool);
    free(folder);
}

// --- headroom ---

// Looks up what the program as written scored when the job was last run, from
// the store next to the job. This makes no calls.
static void check_headroom(struct jobfile *file, const struct options *options)
{
    static const char sql[] =
        "SELECT t.score, t.n FROM trials t JOIN jobs j ON j.no = t.job_no"
        " WHERE j.name = ?1 AND t.kind = 'baseline' AND t.state = 'done'"
        " ORDER BY t.started_ms DESC LIMIT 1";
    char *path = jobfile_beside(file->path, JOBFILE_STORE);
    struct place place = {.file = file->path};
    struct err ignored = ERR_CLEAR;
    struct store *store = path == NULL || access(path, R_OK) != 0
                              ? NULL
                              : store_open_read(path, &ignored);
    json_t *rows = store == NULL
                       ? NULL
                       : query_rows(store, sql, &file->job->name, 1, &ignored);
    const json_t *row = json_array_get(rows, 0);
    double score = json_get_number(row, "score", 0);

    (void)options;
    if (score >= AT_THE_TOP) {
        diag_add(
            file->diags, DIAG_WARNING, "no-headroom", &place,
            "the program as written scored %.0f %% on %lld examples when it "
            "was last run, which leaves a search hardly anything to gain",
            100 * score, (long long)json_get_int(row, "n", 0));
        diag_remedy(file->diags, "ship it as it is, or add examples that it "
                                 "gets wrong");
    }
    json_decref(rows);
    store_close(store);
    free(path);
}

// --- the table ---

static void (*const checks[])(struct jobfile *, const struct options *) = {
    check_examples,   check_headroom, check_context,  check_from,
    check_passages,   check_steps,    check_programs, check_models,
    check_embeddings, replies_try,
};

void checks_run(struct jobfile *file, const struct options *options)
{
    struct err ignored = ERR_CLEAR;

    if (file->job == NULL || file->dataset == NULL ||
        !diags_ok(file->diags, &ignored))
        return;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](file, options);
}
