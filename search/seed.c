#include "search/seed.h"

#include <stdlib.h>

#include "common/file.h"
#include "program/run/compiled.h"
#include "search/session/session_thread.h"

// Returns true if the demo shows the row: every input that the step takes from
// the job has the row's value.
static bool shows_row(const struct program *program, const struct step *step,
                      const struct demo *demo, const json_t *inputs)
{
    size_t compared = 0;

    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        struct source source = step->sources[i];
        const json_t *shown, *given;

        if (source.step != SOURCE_INPUT)
            continue;
        shown = json_object_get(demo->fields, step->signature.inputs[i].name);
        given = json_object_get(inputs, program->inputs[source.field].name);
        if (shown == NULL || given == NULL || !json_equal(shown, given))
            return false;
        compared++;
    }
    return compared > 0;
}

static int row_of(const struct session *session, const struct step *step,
                  const struct demo *demo)
{
    const struct program *program = session_job(session)->program;
    const struct dataset *dataset = session_dataset(session);

    for (size_t i = 0; i < dataset_size(dataset); i++) {
        json_t *inputs = dataset_inputs(dataset, i);
        bool shows = shows_row(program, step, demo, inputs);

        json_decref(inputs);
        if (shows)
            return (int)i;
    }
    return -1;
}

static bool place_demos(const struct session *session,
                        struct candidate *candidate, size_t p, struct err *err)
{
    const struct step *step =
        program_predictor(session_job(session)->program, p);
    const struct candidate_part part = candidate->parts[p];
    struct demo *demos = calloc(part.n_demos + 1, sizeof *demos);
    bool ok = demos != NULL;

    if (!ok)
        err_nomem(err, "demos");
    for (size_t i = 0; ok && i < part.n_demos; i++) {
        demos[i] = part.demos[i];
        demos[i].row = row_of(session, step, &demos[i]);
    }
    ok = ok && candidate_set_demos(candidate, p, part.demo_set_no, demos,
                                   part.n_demos, err);
    if (ok)
        candidate_set_nearest(candidate, p, part.nearest);
    free(demos);
    return ok;
}

struct candidate *seed_place(const struct session *session,
                             const struct candidate *candidate, struct err *err)
{
    struct candidate *placed = candidate_copy(candidate, err);
    bool ok = placed != NULL;

    for (size_t p = 0; ok && p < placed->n_parts; p++)
        ok = place_demos(session, placed, p, err);
    if (ok) {
        candidate_seal(placed);
        return placed;
    }
    candidate_unref(placed);
    return NULL;
}

// Reports a seed that cannot be used, alike for every command that begins a
// search.
static void refuse_start(const struct err *why, struct err *err)
{
    err_set(err, why->code, "%.180s%s", why->text,
            why->code == ERR_INPUT ? ": begin without --from (or `from`)" : "");
}

struct candidate *seed_candidate(const struct session *session, struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    const char *name = setup->job->from;
    const struct bundle_file *file = bundle_find(setup->bundle, name);
    struct candidate *read = NULL;
    struct candidate *placed = NULL;
    struct err why = ERR_CLEAR;

    if (file == NULL) {
        err_set(err, ERR_INPUT, "%s did not come with the job",
                FILE_SHOWN(name, 180));
        return NULL;
    }
    read = compiled_candidate(setup->job->program, name, file->data, file->len,
                              &why);
    if (read == NULL)
        refuse_start(&why, err);
    placed = read == NULL ? NULL : seed_place(session, read, err);
    candidate_unref(read);
    return placed;
}
