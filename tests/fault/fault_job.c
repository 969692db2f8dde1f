#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "fault/alloc_fault.h"
#include "program/job/job.h"

static const char good[] =
    "name: memory\n"
    "models: {student: m, revision: v1, teacher_options: {num_ctx: 8K}}\n"
    "inputs: {q: &text {desc: A question, pattern: x}, c: {default: [1]"
    ", list: int}}\n"
    "steps:\n"
    "  sort: {predict: Sort., inputs: [q, c], outputs: {kind: {enum: [a, b]}, "
    "o: {object: {n: *text}}}}\n"
    "  both: {compose: {q: q, o: sort.o}}\n"
    "  find: {retrieve: docs, inputs: [q], k: {tune: [1, 2]}, fields: [text]}\n"
    "  run: {exec: {command: [./run, 7], timeout: 2s}, when: {sort.kind: [a, "
    "null]}, inputs: [q], outputs: {n: {type: int, optional: true}}}\n"
    "  write: {chain_of_thought: W., inputs: {b: both, p: find.passages, n: "
    "run.n}, outputs: {text: }}\n"
    "outputs: {kind: sort.kind, text: write.text}\n"
    "data: {examples: data.jsonl, split: {stratify: kind}}\n"
    "metric: {weighted: [{weight: 1, exact_match: kind}, {weight: 1, "
    "token_f1: text}]}\n"
    "optimizer: {miprov2: {auto: {tune: [light, heavy]}}}\n"
    "adapter: {tune: [json, chat]}\n"
    "demos: {count: {tune: [1, 2]}}\n";

static const char bad[] =
    "name: memory\n"
    "modles: {student: m}\n"
    "inputs: {q: {type: string}}\n"
    "steps:\n"
    "  a: {predict: A., inputs: {b: b.b}, outputs: {a: }}\n"
    "  b: {predict: B., inputs: {a: a.a, q: qq}, outputs: {b: }}\n"
    "data: {examples: none.jsonl}\n"
    "metric: {exact_match: b}\n"
    "name: again\n";

static struct bundle *bundle_of(const char *text, struct err *err)
{
    struct bundle *bundle = bundle_new("job.yaml", err);

    if (bundle != NULL &&
        bundle_add(bundle, "job.yaml", text, strlen(text), err) &&
        bundle_add(bundle, "data.jsonl", "{}\n", 3, err) &&
        bundle_add(bundle, "docs/a.txt", "A word.", 7, err) &&
        bundle_add(bundle, "docs/b.txt", "Another.", 8, err))
        return bundle;
    bundle_free(bundle);
    return NULL;
}

static bool name_job(struct err *err)
{
    static const char *const overrides[] = {"optimizer.miprov2.seed=3",
                                            "budget.max_time=1h"};
    struct bundle *bundle = bundle_of(good, err);
    struct diags *diags = bundle == NULL ? NULL : diags_new(err);
    struct job *job = NULL;
    char *id = NULL;

    if (diags != NULL)
        job = job_load(bundle, overrides, 2, diags);
    if (job != NULL)
        id = job_id(job, bundle, false);
    if (job != NULL && id == NULL)
        err_nomem(err, "an id");
    else if (diags != NULL && job == NULL)
        cr_expect_not(diags_ok(diags, err), "no job and no finding");
    bool ok = id != NULL;
    free(id);
    job_free(job);
    diags_free(diags);
    bundle_free(bundle);
    return ok;
}

static bool print_findings(struct err *err)
{
    struct bundle *bundle = bundle_of(bad, err);
    struct diags *diags = bundle == NULL ? NULL : diags_new(err);
    struct buf out = BUF_INIT(1 << 20);
    bool ok = false;

    if (diags != NULL) {
        cr_expect_null(job_load(bundle, NULL, 0, diags));
        diags_print(diags, &out);
        cr_expect(diags->nomem || diags->errors == 7, "%zu errors",
                  diags->errors);
        struct err first = ERR_CLEAR;
        cr_expect_not(diags_ok(diags, &first));
        ok = first.code == ERR_INPUT && buf_ok(&out, "the findings", err);
        if (first.code == ERR_NOMEM)
            *err = first;
    }
    buf_release(&out);
    diags_free(diags);
    bundle_free(bundle);
    return ok;
}

Test(job, is_loaded_and_named_or_reports_out_of_memory)
{
    cr_expect_gt(fault_each(name_job), 100);
}

Test(job, findings_are_shown_or_out_of_memory_is_reported)
{
    cr_expect_gt(fault_each(print_findings), 10);
}
