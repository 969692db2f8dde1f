// job_report: a job as a document to hand on, in HTML or in Markdown.
//
// It tells what the first page of the dashboard tells (web/assets/story.js),
// from the same answers of the history: what was gained and how sure that is,
// what ran, what changed in the prompts word by word, which examples flipped,
// what still goes wrong, what it cost. The HTML is one file without a script:
// its style is the dashboard's, its plots are SVG (report_plot.h). Whatever a
// model or a job wrote is text in both forms, never markup. Pure, but for
// job_report_ask.

#ifndef CLI_JOB_REPORT_H
#define CLI_JOB_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"

// The answers by their verbs ("summary", "compare", ...; store/lookup.h), and
// the candidates "before" and "after". Those of a job without a finished trial
// are missing, but for the summary.
struct job_report {
    json_t *parts;     // an object; owned
    const char *asked; // the job as it was named, which says where it is
};

// Asks for all of it. job as history_ask takes it. To be released in any case.
bool job_report_ask(const struct options *options, const char *job,
                    struct job_report *out, struct err *err);
void job_report_release(struct job_report *report);

// Borrowed; NULL where it is missing.
const json_t *job_report_part(const struct job_report *report,
                              const char *name);

void job_report_html(const struct job_report *report, struct buf *out);
void job_report_markdown(const struct job_report *report, struct buf *out);

// --- words that both forms share ---

// "better: chance alone would show this once in 2,048 times".
void job_report_verdict(double p_value, double gain, struct buf *out);

// "miprov2 tried 32 trials ... on qwen2.5:14b": a sentence of what ran, text.
void job_report_what_ran(const json_t *summary, struct buf *out);

// Those of the demos `after` that are not among the demos `before`. New
// reference to a list.
json_t *job_report_new_demos(const json_t *before, const json_t *after);

// The part of a candidate that is for this step; NULL where it has none.
const json_t *job_report_step(const json_t *candidate, const char *step);

// The values of an object in one line, for people.
void job_report_brief(const json_t *object, struct buf *out);

// A reply without the markers of its fields: "intent: escalate confidence:
// 0.82". What is no such reply stays as it is.
void job_report_answer(const char *reply, struct buf *out);

// A sentence of ours (a reason, a verdict) or of a metric has what it quotes
// between backticks: text begins with such a part when this is above 0, which
// is the bytes with both of them. 0: text begins with anything else, or with a
// backtick that none ends in the same line.
size_t job_report_code(const char *text);

#endif
