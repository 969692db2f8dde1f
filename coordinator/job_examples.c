#include "coordinator/job_examples.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"

enum {
    ALL_BYTES = 16 << 20, // of the texts of all rows
    ROW_BYTES = 1 << 20,  // of those of one row
    SHARE_BYTES = 32,
};

// If there are few rows, a row may be in train and val at once.
static bool *mark_rows(const struct job_spec *spec, enum share share)
{
    bool *in = calloc(dataset_size(spec->dataset) + 1, sizeof *in);

    for (size_t i = 0; in != NULL && i < spec->split.n[share]; i++)
        in[spec->split.rows[share][i]] = true;
    return in;
}

static void name_shares(bool *const *in, size_t row, char out[SHARE_BYTES])
{
    out[0] = '\0';
    for (int share = 0; share < SHARE_COUNT; share++) {
        if (!in[share][row])
            continue;
        if (out[0] != '\0')
            strcat(out, ", ");
        strcat(out, share_names[share]);
    }
}

// Returns what the row has besides the inputs: labels, and columns for metrics.
static json_t *labels_of(json_t *fields, const json_t *inputs)
{
    json_t *labels = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(fields, key, value) {
        if (json_object_get(inputs, key) == NULL)
            json_object_set(labels, key, value);
    }
    return labels;
}

// The rows of a job on their way into its history.
struct keeping {
    const struct job_spec *spec;
    struct store *reader;
    int64_t job_no;
    int64_t left; // bytes for texts; once it is 0 or less, rows go without
};

static bool put_example(struct keeping *keeping, size_t at, const char *share,
                        struct err *err)
{
    const struct dataset *dataset = keeping->spec->dataset;
    struct row_place place = dataset_place(dataset, at);
    json_t *fields = dataset_fields(dataset, at);
    json_t *given = dataset_inputs(dataset, at);
    struct buf inputs = BUF_INIT(ROW_BYTES), labels = BUF_INIT(ROW_BYTES);
    struct history_example example = {.row = (int64_t)at,
                                      .share = share,
                                      .file = place.file,
                                      .line = place.line};
    json_t *rest = labels_of(fields, given);
    bool ok;

    if (keeping->left > 0) {
        json_put(&inputs, given);
        json_put(&labels, rest);
        keeping->left -= (int64_t)(inputs.len + labels.len);
    }
    example.inputs = inputs.failed ? NULL : inputs.data;
    example.labels = labels.failed ? NULL : labels.data;
    ok = history_put_example(keeping->reader, keeping->job_no, &example, err);
    json_decref(fields);
    json_decref(given);
    json_decref(rest);
    buf_release(&inputs);
    buf_release(&labels);
    return ok;
}

static bool put_all(const struct job_spec *spec, struct store *reader,
                    int64_t job_no, bool *const *in, struct err *err)
{
    struct keeping keeping = {spec, reader, job_no, ALL_BYTES};
    char share[SHARE_BYTES];

    for (size_t row = 0; row < dataset_size(spec->dataset); row++) {
        name_shares(in, row, share);
        if (!put_example(&keeping, row, share, err))
            return false;
    }
    return true;
}

bool job_examples_keep(const struct job_spec *spec, struct store *reader,
                       int64_t job_no, struct err *err)
{
    bool *in[SHARE_COUNT] = {0};
    int64_t stored = 0;
    bool ok = true;

    if (!history_example_count(reader, job_no, &stored, err))
        return false;
    if ((size_t)stored == dataset_size(spec->dataset))
        return true;
    for (int share = 0; share < SHARE_COUNT; share++) {
        in[share] = mark_rows(spec, (enum share)share);
        ok = ok && in[share] != NULL;
    }
    if (ok)
        ok = put_all(spec, reader, job_no, in, err);
    else
        err_nomem(err, "the examples");
    for (int share = 0; share < SHARE_COUNT; share++)
        free(in[share]);
    return ok;
}
