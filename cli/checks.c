#include "cli/checks.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/check_data.h"
#include "cli/check_embeddings.h"
#include "cli/check_finding.h"
#include "cli/check_models.h"
#include "cli/check_passages.h"
#include "cli/check_programs.h"
#include "cli/check_steps.h"
#include "cli/jobfile_files.h"
#include "cli/replies.h"
#include "common/json.h"
#include "program/graph/candidate.h"
#include "program/run/compiled.h"
#include "search/session/fit.h"
#include "store/query.h"

static const double AT_THE_TOP = 0.97;

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
    check_finding_nomem(file, &err);
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
    check_finding_nomem(file, &err);
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
    struct place place = check_finding_place(file);
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
