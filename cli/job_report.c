#include "cli/job_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/history_file.h"
#include "common/json.h"
#include "common/text.h"
#include "store/job_state.h"

enum { FLIPPED_MOST = 50 };

// --- asking ---

// Asks about the same job in the same store, whatever else is run meanwhile.
static bool add(const struct options *options, struct job_report *report,
                const char *name, const char *verb, const json_t *argument,
                struct err *err)
{
    const char *id =
        json_get_text(job_report_part(report, "summary"), "job", "");
    json_t *answer =
        history_ask_id(options, verb, report->asked, id, argument, err);

    return answer != NULL &&
           json_object_set_new(report->parts, name, answer) == 0;
}

static bool add_candidate(const struct options *options,
                          struct job_report *report, const char *name,
                          const json_t *which, struct err *err)
{
    json_t *argument =
        json_pack("{s:O}", "candidate", json_object_get(which, "candidate"));
    bool ok = add(options, report, name, "candidate", argument, err);

    json_decref(argument);
    return ok;
}

// Adds what exists once trials have ended.
static bool add_results(const struct options *options,
                        struct job_report *report, struct err *err)
{
    const json_t *summary = job_report_part(report, "summary");
    json_t *changed =
        json_pack("{s:s, s:i}", "show", "changed", "limit", FLIPPED_MOST);
    bool ok = add(options, report, "compare", "compare", changed, err) &&
              add_candidate(options, report, "before",
                            json_object_get(summary, "baseline"), err) &&
              add_candidate(options, report, "after",
                            json_object_get(summary, "best"), err) &&
              add(options, report, "tokens", "tokens", NULL, err) &&
              add(options, report, "importance", "importance", NULL, err) &&
              add(options, report, "failures", "failures", NULL, err);

    json_decref(changed);
    return ok;
}

bool job_report_ask(const struct options *options, const char *job,
                    struct job_report *out, struct err *err)
{
    json_t *summary = history_ask(options, "summary", job, NULL, err);

    *out = (struct job_report){.parts = json_object(), .asked = job};
    if (summary == NULL ||
        json_object_set_new(out->parts, "summary", summary) != 0)
        return false;
    if (!add(options, out, "curve", "curve", NULL, err) ||
        !add(options, out, "cost", "cost", NULL, err))
        return false;
    return json_is_null(json_object_get(summary, "best")) ||
           json_is_null(json_object_get(summary, "baseline")) ||
           add_results(options, out, err);
}

void job_report_release(struct job_report *report)
{
    json_decref(report->parts);
    report->parts = NULL;
}

const json_t *job_report_part(const struct job_report *report, const char *name)
{
    return json_object_get(report->parts, name);
}

// --- words ---

void job_report_verdict(double p_value, double gain, struct buf *out)
{
    if (p_value >= 0.05) {
        buf_puts(out, "no detectable difference");
        return;
    }
    buf_printf(out, "%s: chance alone would show this ",
               gain > 0 ? "better" : "worse");
    if (p_value < 0.0001) {
        buf_puts(out, "less than once in 10,000 times");
        return;
    }
    buf_puts(out, "once in ");
    buf_put_number(out, (int64_t)llround(1 / p_value));
    buf_puts(out, " times");
}

static const char *model_of(const json_t *summary, const char *role)
{
    const json_t *models = json_object_get(summary, "models");

    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);

        if (strcmp(json_get_text(model, "role", ""), role) == 0)
            return json_get_text(model, "name", "");
    }
    return "";
}

// Appends what the history says now; the job's own result dates from when it
// last ended.
static void put_price(const json_t *summary, struct buf *out)
{
    const char *state = json_get_text(summary, "state", "");
    int64_t calls = json_get_int(summary, "calls", 0);

    if (calls == 0)
        return;
    buf_puts(out, strcmp(state, job_state_name(JOB_RUNNING)) == 0
                      ? " So far that took "
                      : " That took ");
    buf_put_number(out, calls);
    buf_printf(out, " calls and %.1f s.",
               json_get_number(summary, "wall_s", 0));
}

void job_report_what_ran(const json_t *summary, struct buf *out)
{
    const json_t *canonical = json_object_get(summary, "canonical");
    void *optimizer = json_object_iter(json_object_get(canonical, "optimizer"));
    void *metric = json_object_iter(json_object_get(canonical, "metric"));
    const char *student = model_of(summary, "student");
    const char *teacher = model_of(summary, "teacher");
    char trials[TEXT_COUNTED_BYTES];

    buf_printf(
        out, "%s ran %s with other instructions and demos",
        optimizer == NULL ? "The optimizer" : json_object_iter_key(optimizer),
        text_counted(trials, json_get_int(summary, "trials", 0), "trial"));
    if (student[0] != '\0')
        buf_printf(out, " for %s", student);
    if (teacher[0] != '\0' && strcmp(teacher, student) != 0)
        buf_printf(out, ", with %s as its teacher", teacher);
    if (metric != NULL)
        buf_printf(out, ", scored by %s", json_object_iter_key(metric));
    buf_puts(out, ".");
    put_price(summary, out);
}

// --- candidates ---

const json_t *job_report_step(const json_t *candidate, const char *step)
{
    const json_t *parts = json_object_get(candidate, "parts");

    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);

        if (strcmp(json_get_text(part, "step", ""), step) == 0)
            return part;
    }
    return NULL;
}

static bool has_demo(const json_t *demos, const json_t *demo)
{
    for (size_t i = 0; i < json_array_size(demos); i++)
        if (json_equal(json_array_get(demos, i), demo))
            return true;
    return false;
}

json_t *job_report_new_demos(const json_t *before, const json_t *after)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(after); i++)
        if (!has_demo(before, json_array_get(after, i)))
            (void)json_array_append(list, json_array_get(after, i));
    return list;
}

void job_report_brief(const json_t *object, struct buf *out)
{
    const char *separator = "";
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value) {
        const char *text = json_string_value(value);

        if (json_is_null(value) || (text != NULL && text[0] == '\0'))
            continue;
        buf_puts(out, separator);
        if (text != NULL)
            buf_puts(out, text);
        else
            json_put(out, value);
        separator = " · ";
    }
}

// Finds the name in a line "[[ ## NAME ## ]]" and returns its length, or 0 for
// any other line.
static size_t marker_name(const char *line, size_t len, const char **name)
{
    static const char begin[] = "[[ ## ", end[] = " ## ]]";
    const size_t around = sizeof begin - 1 + sizeof end - 1;

    if (len <= around || strncmp(line, begin, sizeof begin - 1) != 0 ||
        strncmp(line + len - (sizeof end - 1), end, sizeof end - 1) != 0)
        return 0;
    *name = line + sizeof begin - 1;
    return len - around;
}

void job_report_answer(const char *reply, struct buf *out)
{
    const char *separator = "";

    for (const char *line = reply; *line != '\0';) {
        size_t whole = strcspn(line, "\n"), len;
        const char *text = text_trim(line, whole, &len), *name;
        size_t named = marker_name(text, len, &name);
        bool last = named == 9 && strncmp(name, "completed", 9) == 0;

        if (named > 0 && !last)
            buf_printf(out, "%s%.*s:", separator, (int)named, name);
        else if (len > 0 && !last)
            buf_printf(out, "%s%.*s", separator, (int)len, text);
        if (len > 0)
            separator = " ";
        line += whole + (line[whole] == '\n');
    }
}

size_t job_report_code(const char *text)
{
    size_t len = text[0] == '`' ? strcspn(text + 1, "`\n") : 0;

    return len > 0 && text[1 + len] == '`' ? len + 2 : 0;
}
