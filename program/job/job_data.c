#include "program/job/job_reader.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

// Returns advice for a missing file.
static const char *file_remedy(const char *name)
{
    if (strstr(name, "://") != NULL)
        return "promptcc downloads nothing: fetch the file first, and name it "
               "here";
    if (name[0] == '~')
        return "only a shell expands ~: write the full path, starting with /";
    return "file names are relative to the job file";
}

static void refuse_list(struct job_reader *reader, const struct node *node)
{
    diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
             "a file of `data` must be one name, found a list");
    diag_remedy(
        reader->diags,
        "join the files into one, or give train, val and test a file each");
}

// Reads the name of a file and adds the file to the bundle.
static void read_file(struct job_reader *reader, const struct node *data,
                      const char *key, const char **out)
{
    const struct node *node = node_find(data, key);
    struct err err = ERR_CLEAR;

    if (node != NULL && node->kind == NODE_LIST) {
        refuse_list(reader, node);
        return;
    }
    if (node == NULL || !job_reader_text(reader, node, "a file", out))
        return;
    if (bundle_get(reader->bundle, *out, &err) != NULL)
        return;
    if (err.code == ERR_NOMEM)
        (void)job_reader_nomem(reader);
    else
        diag_add(reader->diags, DIAG_ERROR, "no-file", &node->place, "%s",
                 err.text);
    if (err.code == ERR_LIMIT)
        diag_remedy(reader->diags,
                    "a search needs a few hundred examples: take some of them, "
                    "such as `shuf -n 1000 OLD > NEW`");
    else
        diag_remedy(reader->diags, "%s", file_remedy(*out));
}

static bool read_share(struct job_reader *reader, const struct node *split,
                       const char *key, bool may_be_none, double *out)
{
    const struct node *node = node_find(split, key);

    if (node == NULL && !may_be_none) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &split->place,
                 "`split` has no share `%s`", key);
        return false;
    }
    *out = 0;
    if (node == NULL)
        return true;
    if (!node_number(node, "a share", 0, 1, out, reader->diags)) {
        diag_remedy(reader->diags, "shares are fractions of 1, such as train: "
                                   "0.4, val: 0.4, test: 0.2");
        return false;
    }
    if (*out > 0 || may_be_none)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "out-of-range", &node->place,
             "the share `%s` must be above 0", key);
    return false;
}

// If none is given, all three have defaults: 0.4, 0.4, 0.2. If any is given,
// train and val are required, and test defaults to 0.
static void read_shares(struct job_reader *reader, const struct node *split)
{
    struct job_data *data = &reader->job->data;

    if (node_find(split, "train") == NULL && node_find(split, "val") == NULL &&
        node_find(split, "test") == NULL)
        return;
    bool ok = read_share(reader, split, "train", false, &data->train_share);
    ok = read_share(reader, split, "val", false, &data->val_share) && ok;
    ok = read_share(reader, split, "test", true, &data->test_share) && ok;
    double all = data->train_share + data->val_share + data->test_share;
    if (ok && all > 1 + 1e-9)
        diag_add(reader->diags, DIAG_ERROR, "shares", &split->place,
                 "the shares of `split` add up to %.9g, more than 1", all);
}

static void read_split(struct job_reader *reader, const struct node *split)
{
    static const char *const keys[] = {"train",    "val",  "test",
                                       "stratify", "seed", "separate"};
    struct job_data *data = &reader->job->data;
    const struct node *stratify = node_find(split, "stratify");
    const struct node *seed = node_find(split, "seed");
    const struct node *separate = node_find(split, "separate");

    if (split == NULL || split->kind == NODE_NULL ||
        !job_reader_map(reader, split, "`split`",
                        "split: {train: 0.4, val: 0.4, test: 0.2}"))
        return;
    node_only_keys(split, "`split`", keys, LENGTH(keys), reader->diags);
    read_shares(reader, split);
    if (stratify != NULL)
        (void)job_reader_text(reader, stratify, "`stratify`", &data->stratify);
    if (seed != NULL)
        (void)node_int(seed, "`seed`", 0, INT64_MAX, &data->seed,
                       reader->diags);
    if (separate != NULL)
        (void)node_bool(separate, "`separate`", &data->separate, reader->diags);
}

static void check_files(struct job_reader *reader, const struct node *node)
{
    const struct node *examples = node_find(node, "examples");
    const struct node *train = node_find(node, "train");

    if (examples == NULL && train == NULL)
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`data` names no file: give `examples`, or `train` and `val`");
    if (examples != NULL && train != NULL)
        diag_add(reader->diags, DIAG_ERROR, "two-files", &train->place,
                 "`data` has both `examples` and `train`: give either one file "
                 "to split, or separate files");
}

void job_read_data(struct job_reader *reader, const struct node *node)
{
    static const char *const keys[] = {"examples", "train", "val", "test",
                                       "split"};
    struct job_data *data = &reader->job->data;

    if (!job_reader_map(reader, node, "`data`",
                        "data: {examples: examples.jsonl}"))
        return;
    data->place = node->place;
    node_only_keys(node, "`data`", keys, LENGTH(keys), reader->diags);
    check_files(reader, node);
    read_file(reader, node, "examples", &data->examples);
    read_file(reader, node, "train", &data->train);
    read_file(reader, node, "val", &data->val);
    read_file(reader, node, "test", &data->test);
    read_split(reader, node_find(node, "split"));
}
