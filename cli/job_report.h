// job_report: a job as a document to pass on, in HTML or in Markdown.
//
// It says what the first page of the dashboard says (web/assets/story.js), from
// the same answers of the history: what was gained and how certain that is,
// what ran, what changed in the prompts word by word, which examples flipped,
// what still goes wrong, and what it cost. The HTML is one file without a
// script: its style is the dashboard's, and its plots are SVG (report_plot.h).
// Whatever a model or a job wrote is text in both forms, never markup.
// Everything except job_report_ask is pure.

#ifndef CLI_JOB_REPORT_H
#define CLI_JOB_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"

// The answers by their verbs ("summary", "compare", ...; store/lookup.h), and
// the candidates "before" and "after". For a job without a finished trial,
// everything except the summary is missing.
struct job_report {
    json_t *parts;     // an object; owned
    const char *asked; // the job as the user named it, which says where it is
};

// Asks for all the answers. `job` is as in history_ask. Release `out` in any
// case.
bool job_report_ask(const struct options *options, const char *job,
                    struct job_report *out, struct err *err);
void job_report_release(struct job_report *report);

// Borrowed; NULL if that part is missing.
const json_t *job_report_part(const struct job_report *report,
                              const char *name);

void job_report_html(const struct job_report *report, struct buf *out);
void job_report_markdown(const struct job_report *report, struct buf *out);

// --- words that both forms share ---

// Appends the verdict, for example "better: chance alone would show this once
// in 2,048 times".
void job_report_verdict(double p_value, double gain, struct buf *out);

// Appends one sentence about what ran, for example "miprov2 tried 32 trials ...
// on qwen2.5:14b".
void job_report_what_ran(const json_t *summary, struct buf *out);

// Returns the demos of `after` that are not in `before`, as a new reference to
// a list.
json_t *job_report_new_demos(const json_t *before, const json_t *after);

// Returns a candidate's part for this step, or NULL if it has none.
const json_t *job_report_step(const json_t *candidate, const char *step);

// Appends the values of an object in one line, for people.
void job_report_brief(const json_t *object, struct buf *out);

// Appends a reply without the markers of its fields: "intent: escalate
// confidence: 0.82". A reply that has no markers stays as it is.
void job_report_answer(const char *reply, struct buf *out);

// Returns the length of the quoted part at the beginning of `text`, including
// both backticks: our own sentences (a reason, a verdict) and those of a metric
// put whatever they quote between backticks. Returns 0 if the text begins with
// anything else, or with a backtick that no other one closes in the same line.
size_t job_report_code(const char *text);

#endif
