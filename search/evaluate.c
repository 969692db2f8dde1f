#include "search/evaluate.h"

#include <string.h>

#include "common/file.h"
#include "program/run/compiled.h"
#include "search/documents.h"
#include "search/results.h"
#include "search/seed.h"
#include "search/session/session_thread.h"

static bool has_pool(const struct candidate *candidate)
{
    for (size_t p = 0; p < candidate->n_parts; p++)
        if (candidate->parts[p].nearest > 0)
            return true;
    return false;
}

// Reads the compiled file. Its pools probably contain some of the examples,
// which must not be shown to themselves.
static struct candidate *read_candidate(const struct session *session,
                                        const struct bundle_file *file,
                                        struct err *err)
{
    struct candidate *read = compiled_candidate(
        session_job(session)->program, file->name, file->data, file->len, err);
    struct candidate *placed = NULL;

    if (read == NULL || !has_pool(read))
        return read;
    placed = seed_place(session, read, err);
    candidate_unref(read);
    return placed;
}

static struct candidate *candidate_to_score(const struct session *session,
                                            struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    const char *name = setup->request->compiled;
    const struct bundle_file *file;

    if (name == NULL)
        return candidate_ref(session_baseline(session));
    file = bundle_find(setup->bundle, name);
    if (file == NULL) {
        err_set(err, ERR_INPUT, "%s did not come with the job",
                FILE_SHOWN(name, 180));
        return NULL;
    }
    return read_candidate(session, file, err);
}

// Returns every row of --data, else the test share, else the validation share.
static struct row_span rows_to_score(const struct session *session)
{
    const struct split *split = session_split(session);

    return row_span_of(split,
                       split->n[SHARE_TEST] > 0 ? SHARE_TEST : SHARE_VAL);
}

// Warns if the answers come from another model than the file was compiled for.
static void compare_digest(struct session *session)
{
    const struct session_setup *setup = session_setup_of(session);
    const struct bundle_file *file =
        bundle_find(setup->bundle, setup->request->compiled);
    struct err ignored = ERR_CLEAR;
    struct compiled *compiled =
        compiled_read(file->name, file->data, file->len, &ignored);
    const char *now = session_digest(session, ROLE_STUDENT);

    if (compiled != NULL && compiled->digest[0] != '\0' && now[0] != '\0' &&
        strcmp(compiled->digest, now) != 0)
        session_note(session,
                     "warning: %.60s was compiled for model %.40s (%.20s), "
                     "which is not the model that answers here",
                     file->name, compiled->model, compiled->digest);
    compiled_free(compiled);
}

static json_t *eval_document(const struct session *session,
                             const struct trial *trial)
{
    const struct session_setup *setup = session_setup_of(session);
    json_t *document = results_score_json(session, trial);

    json_object_set_new(document, "model_faults",
                        json_integer((json_int_t)trial->model_faults));
    json_object_set_new(document, "faults", results_faults_json(trial));
    json_object_set_new(document, "lenient",
                        json_integer((json_int_t)trial->lenient));
    json_object_set_new(document, "job", json_string(setup->job_id));
    json_object_set_new(document, "candidate",
                        json_integer((json_int_t)trial->candidate_id));
    json_object_set_new(document, "simulated",
                        json_boolean(session_simulated(session)));
    return document;
}

bool evaluate_job(struct session *session, struct ending *ending,
                  struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    struct candidate *candidate = candidate_to_score(session, err);
    struct trial *trial = NULL;
    struct row_span rows = rows_to_score(session);

    if (candidate == NULL)
        return false;
    if (documents_embed(session, err)) {
        session_phase(session, "evaluation");
        session_expect(session, (struct effort){.examples = rows.n});
        trial = session_score(session, candidate, setup->plan, rows, err);
    }
    candidate_unref(candidate);
    if (trial == NULL)
        return false;
    if (setup->request->compiled != NULL)
        compare_digest(session);
    ending->document = eval_document(session, trial);
    results_name_fault(ending, trial);
    ending->score = trial->score;
    if (ending->document == NULL)
        err_nomem(err, "the result");
    return ending->document != NULL;
}
