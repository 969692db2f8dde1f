#include "cli/check_programs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/check_finding.h"
#include "cli/check_steps.h"
#include "common/file.h"
#include "common/json.h"
#include "exec/exec_pool.h"
#include "program/metric/metric.h"

enum { LINE_BYTES = 16 << 20 };

// A right answer to a row consists of its own labels, a wrong one of the labels
// of a row that has different ones.
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
    struct place place = check_finding_place(file);

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
    check_finding_nomem(file, &err);
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

void check_programs(struct jobfile *file, const struct options *options)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    struct exec_command list[JOB_MAX_COMMANDS];
    size_t n = job_commands(file->job, commands); // the metric's come first
    char *folder = n == 0 ? NULL : file_folder(file->path);
    struct place place = check_finding_place(file);
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
    check_finding_nomem(file, &err);
    exec_pool_stop(pool);
    free(folder);
}
