// bench_wording: lets a driver use promptcc's prompts and its reply parser.
//
//   bench_wording JOB
//
// Reads requests from standard input, one JSON object per line, and answers
// each with one line. They are about the first step of JOB.
//
//   {"adapter": "chat", "demos": [EXAMPLE...], "inputs": {...}}
//       {"messages": [...], "format": SCHEMA or null}
//   {"adapter": "chat", "reply": TEXT}
//       {"outputs": {...}, "lenient": [KIND...]} or {"problem": TEXT}
//
// bench/wording/ask.py is the other end; bench/wording/run.sh runs both.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/candidate.h"
#include "program/job/bundle.h"
#include "program/job/job.h"
#include "program/prompt/prompt.h"
#include "program/prompt/reply.h"
#include "tally.h"

enum { MAX_DEMOS = 64, ALL_OUTPUTS = -1 };

static struct err err;

static void need(bool ok)
{
    if (!ok)
        die(&err);
}

static struct job *read_job(const char *path)
{
    struct diags *diags = diags_new(&err);
    struct bundle *bundle = bundle_open(path, &err);

    need(diags != NULL && bundle != NULL);
    struct job *job = job_load(bundle, NULL, 0, diags);
    need(job != NULL || diags_ok(diags, &err));
    bundle_free(bundle);
    diags_free(diags);
    return job;
}

static enum adapter find_adapter(const char *name)
{
    for (int i = 0; adapter_names[i] != NULL; i++) {
        if (strcmp(adapter_names[i], name) == 0)
            return (enum adapter)i;
    }
    err_set(&err, ERR_INPUT, "there is no adapter `%s`", name);
    die(&err);
}

// Returns the program as written, with the request's examples as demos.
static struct candidate *shown(const struct program *program,
                               const json_t *examples)
{
    struct candidate *candidate = candidate_new(program, &err);
    struct demo demos[MAX_DEMOS];
    size_t n = json_array_size(examples);

    need(candidate != NULL);
    if (n > MAX_DEMOS) {
        err_set(&err, ERR_LIMIT, "more than %d demos", MAX_DEMOS);
        die(&err);
    }
    for (size_t i = 0; i < n; i++)
        demos[i] =
            (struct demo){.fields = json_array_get(examples, i), .row = (int)i};
    need(candidate_set_demos(candidate, 0, 1, demos, n, &err));
    return candidate;
}

static void put_question(const struct program *program, enum adapter adapter,
                         const json_t *request, struct buf *out)
{
    const struct step *step = program_predictor(program, 0);
    struct candidate *candidate =
        shown(program, json_object_get(request, "demos"));
    struct buf format = BUF_INIT(PROMPT_MAX_BYTES);

    buf_puts(out, "{\"messages\":");
    need(prompt_prefix(step, &candidate->parts[0], adapter, out, &err) &&
         prompt_question(step, json_object_get(request, "inputs"), out, &err) &&
         prompt_format(step, adapter, &format, &err));
    buf_puts(out, ",\"format\":");
    buf_puts(out, format.len > 0 ? format.data : "null");
    buf_putc(out, '}');
    buf_release(&format);
    candidate_unref(candidate);
}

static void put_lenient(unsigned lenient, struct buf *out)
{
    static const struct {
        enum reply_leniency kind;
        const char *name;
    } kinds[] = {
        {LENIENT_FENCE, "fence"},   {LENIENT_MARKER, "marker"},
        {LENIENT_END, "end"},       {LENIENT_LABEL, "label"},
        {LENIENT_NUMBER, "number"}, {LENIENT_FORM, "form"},
        {LENIENT_BARE, "bare"},     {LENIENT_UNREAD, "unread"},
        {LENIENT_MENDED, "mended"},
    };
    const char *comma = "";

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((lenient & kinds[i].kind) == 0)
            continue;
        buf_printf(out, "%s\"%s\"", comma, kinds[i].name);
        comma = ",";
    }
}

static void put_reading(const struct program *program, enum adapter adapter,
                        const char *reply, struct buf *out)
{
    const struct step *step = program_predictor(program, 0);
    const struct reply_asked asked = {
        .step = step, .adapter = adapter, .reads = (uint64_t)ALL_OUTPUTS};
    const struct span text = {reply, strlen(reply)};
    struct err problem = ERR_CLEAR;
    json_t *outputs = NULL;
    unsigned lenient = 0;

    if (reply_parse(&asked, text, &outputs, &lenient, &problem)) {
        buf_puts(out, "{\"outputs\":");
        json_put(out, outputs);
        buf_puts(out, ",\"lenient\":[");
        put_lenient(lenient, out);
        buf_puts(out, "]}");
    } else {
        buf_puts(out, "{\"problem\":");
        buf_put_json(out, problem.text, strlen(problem.text));
        buf_putc(out, '}');
    }
    json_decref(outputs);
}

static void answer(const struct program *program, const char *line, size_t len)
{
    json_t *request = json_parse(line, len, PROMPT_MAX_BYTES, &err);
    struct buf out = BUF_INIT(PROMPT_MAX_BYTES * 2);

    need(request != NULL);
    enum adapter adapter =
        find_adapter(json_get_text(request, "adapter", "chat"));
    const char *reply = json_get_text(request, "reply", NULL);
    if (reply != NULL)
        put_reading(program, adapter, reply, &out);
    else
        put_question(program, adapter, request, &out);
    need(buf_ok(&out, "an answer", &err));
    puts(out.data);
    fflush(stdout);
    buf_release(&out);
    json_decref(request);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (argc != 2) {
        fputs("usage: bench_wording JOB <REQUESTS\n", stderr);
        return 2;
    }
    struct job *job = read_job(argv[1]);
    while ((len = getline(&line, &size, stdin)) > 0)
        answer(job->program, line, (size_t)len);
    free(line);
    job_free(job);
    return 0;
}
