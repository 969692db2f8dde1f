#include "client/submission.h"

#include <string.h>

#include <sodium.h>

#include "common/err.h"
#include "common/json.h"
#include "common/signals.h"
#include "common/text.h"

enum {
    // Once a coordinator has read a job it reports on it four times a second,
    // and it answers a heartbeat if it does not know of any job. An older
    // coordinator does not do that, and may spend long on reading.
    READING_MS = 120000, // at most, for reading a submission
    NEWS_MS = 10000,
    UNKNOWN_MS = 2000, // after the job was last sent or heard about
    // A busy coordinator is asked again, less and less often, and not by all
    // clients at once. If there is still no room, a person decides what to do.
    BUSY_FIRST_MS = 500,
    BUSY_PAUSE_MS = 8000,
    BUSY_MOST_MS = 120000, // for a job that was never accepted
    BUSY_STATUS = 2,       // exit status of a job that did not begin
    BUSY_BYTES = 1 << 16,  // limit for the document that says so
    STOP_AGAIN_MS = 1000,  // before a STOP that was refused is sent again
    STOP_TOLD_AT = 2,      // refusals in a row; the job may just be ending
};

struct submission submission_of(const struct submit *submit,
                                const struct client_watch *watch)
{
    return (struct submission){.submit = submit, .watch = watch};
}

// --- sending ---

bool submission_is_due(const struct submission *submission, int64_t now)
{
    return submission->submit != NULL && !submission->sent &&
           now >= submission->again_ms;
}

void submission_was_sent(struct submission *submission, int64_t now)
{
    submission->sent = true;
    submission->accepted = false;
    submission->news_ms = now;
}

void submission_was_lost(struct submission *submission)
{
    submission->sent = submission->stop_sent = false;
}

static bool is_silent_for(const struct submission *submission, int64_t most_ms,
                          int64_t now)
{
    return submission->sent && now - submission->news_ms > most_ms;
}

bool submission_is_overdue(const struct submission *submission, int64_t now)
{
    return is_silent_for(submission,
                         submission->accepted ? NEWS_MS : READING_MS, now);
}

bool submission_is_unknown(const struct submission *submission, int64_t now)
{
    return is_silent_for(submission, UNKNOWN_MS, now);
}

// --- hearing about it ---

void submission_accepted(struct submission *submission,
                         const struct accepted *accepted, int64_t now)
{
    const struct client_watch *watch = submission->watch;
    bool first = submission->job[0] == '\0';

    submission->accepted = true;
    submission->busy_ms = 0;
    submission->news_ms = now;
    (void)text_print(submission->job, sizeof submission->job, "%s",
                     accepted->job);
    if (first && watch != NULL && watch->accepted != NULL)
        watch->accepted(watch->user, submission->job);
    if (first && accepted->note[0] != '\0')
        submission_say(submission, accepted->note);
}

void submission_progressed(struct submission *submission,
                           const struct progress *progress, int64_t now)
{
    const struct client_watch *watch = submission->watch;

    if (!submission->accepted) // ACCEPTED was lost
        submission_accepted(
            submission, &(struct accepted){.job = progress->job, .note = ""},
            now);
    submission->news_ms = now;
    if (watch != NULL && watch->progress != NULL)
        watch->progress(watch->user, progress);
}

// Returns true if the job did not begin because the coordinator is too busy.
// `text` is then the coordinator's sentence, truncated if necessary.
static bool is_busy(const struct result *result, char *text, size_t size)
{
    struct err bad = ERR_CLEAR;
    json_t *document, *error;
    bool busy;

    if (result->status != BUSY_STATUS)
        return false;
    document = json_parse(result->document, strlen(result->document),
                          BUSY_BYTES, &bad);
    error = json_object_get(document, "error");
    busy =
        strcmp(json_get_text(error, "code", ""), err_code_name(ERR_BUSY)) == 0;
    if (busy)
        (void)text_print(text, size, "%s", json_get_text(error, "text", ""));
    json_decref(document);
    return busy;
}

// Drops what the sentence says after its colon: that is advice for a person,
// and this code follows it.
static void begin_waiting(struct submission *submission, const char *why,
                          int64_t now)
{
    char text[300];

    submission->busy_ms = now;
    submission->pause_ms = BUSY_FIRST_MS;
    (void)text_print(text, sizeof text,
                     "%.*s; the job will be sent again until it is accepted",
                     (int)strcspn(why, ":"), why);
    submission_say(submission, text);
}

bool submission_should_retry(struct submission *submission,
                             const struct result *result, int64_t now)
{
    char why[sizeof((struct err *)NULL)->text];

    if (!is_busy(result, why, sizeof why))
        return false;
    if (submission->busy_ms == 0)
        begin_waiting(submission, why, now);
    else if (submission->job[0] == '\0' &&
             now - submission->busy_ms > BUSY_MOST_MS)
        return false;
    submission->again_ms =
        now + submission->pause_ms +
        (int64_t)randombytes_uniform((uint32_t)submission->pause_ms);
    if (submission->pause_ms < BUSY_PAUSE_MS)
        submission->pause_ms *= 2;
    submission_was_lost(submission);
    return true;
}

// --- stopping ---

bool submission_is_stopped_by_signals(const struct submission *submission)
{
    return submission->submit != NULL &&
           (submission->watch == NULL || !submission->watch->leaves);
}

static bool is_asked_to_stop(const struct submission *submission)
{
    const struct client_watch *watch = submission->watch;

    return signals_came() || (watch != NULL && watch->wants_stop != NULL &&
                              watch->wants_stop(watch->user));
}

bool submission_wants_stop(struct submission *submission, int64_t now)
{
    if (submission->stop_sent || now < submission->stop_again_ms ||
        !submission_is_stopped_by_signals(submission))
        return false;
    if (!submission->stopping && is_asked_to_stop(submission)) {
        submission->stopping = true;
        submission_say(submission, "stopping: the best so far is saved; a "
                                   "second Ctrl-C leaves at once");
    }
    return submission->stopping && submission->job[0] != '\0';
}

void submission_stop_answered(struct submission *submission,
                              const char *document, int64_t now)
{
    struct err bad = ERR_CLEAR;
    char text[400];
    json_t *reply = json_parse(document, strlen(document), BUSY_BYTES, &bad);
    json_t *error = json_object_get(reply, "error");
    const char *why = json_get_text(error, "text", bad.text);

    if (reply == NULL || error != NULL) {
        submission->stop_sent = false;
        submission->stop_again_ms = now + STOP_AGAIN_MS;
        (void)text_print(text, sizeof text,
                         "the job does not stop: %s; asking again every second",
                         why);
        if (++submission->stop_refusals == STOP_TOLD_AT)
            submission_say(submission, text);
    }
    json_decref(reply);
}

// --- reporting ---

void submission_say(const struct submission *submission, const char *text)
{
    const struct client_watch *watch = submission->watch;

    if (watch != NULL && watch->say != NULL)
        watch->say(watch->user, text);
}

void submission_tick(const struct submission *submission)
{
    const struct client_watch *watch = submission->watch;

    if (watch != NULL && watch->tick != NULL)
        watch->tick(watch->user);
}

bool submission_wants_to_leave(const struct submission *submission)
{
    const struct client_watch *watch = submission->watch;

    return watch != NULL && watch->wants_to_leave != NULL &&
           watch->wants_to_leave(watch->user);
}
