#include "cli/notifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cli/hook.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"
#include "common/thread.h"

enum { QUEUE_EVENTS = 32, END_MS = 12000 };

// One URL or command, and how it is doing. It belongs to the thread, and to the
// owner once the thread has ended.
struct hook {
    bool (*tell)(const struct hook_event *event, const char *target,
                 char why[HOOK_WHY_BYTES]);
    const char *noun;   // "hook", "command"
    const char *target; // borrowed
    size_t asked, failed;
    char why[HOOK_WHY_BYTES]; // about the last failure
};

struct notifier {
    struct hook *hooks; // owned
    size_t n_hooks;
    double best; // the last one sent; used only by the owner's thread
    pthread_t thread;
    pthread_mutex_t lock; // protects everything below
    pthread_cond_t change;
    json_t *events[QUEUE_EVENTS]; // owned, oldest first
    size_t n;
    bool ending;
    int64_t end_ms; // when ending: the deadline
    size_t dropped; // events that found the queue full
};

// --- failures ---

static bool is_late(void *user)
{
    struct notifier *notifier = user;
    bool late;

    (void)pthread_mutex_lock(&notifier->lock);
    late = notifier->ending && clock_monotonic_ms() > notifier->end_ms;
    (void)pthread_mutex_unlock(&notifier->lock);
    return late;
}

static void note_failure(struct hook *hook, const json_t *event,
                         const char *why)
{
    (void)text_print(hook->why, sizeof hook->why, "%s", why);
    if (hook->failed++ > 0)
        return;
    output_say(
        "promptcc: the %s %s did not get the event `%s`: %s. The job "
        "continues; further failures are counted and reported at the end\n",
        hook->noun, hook->target, json_get_text(event, "event", ""), why);
}

static void report_failures(const struct notifier *notifier)
{
    for (size_t i = 0; i < notifier->n_hooks; i++) {
        const struct hook *hook = &notifier->hooks[i];

        if (hook->failed > 1)
            output_say("promptcc: the %s %s did not get %zu of %zu events; the "
                       "last time: %s\n",
                       hook->noun, hook->target, hook->failed, hook->asked,
                       hook->why);
    }
    if (notifier->dropped > 0)
        output_say("promptcc: %zu event%s dropped, because earlier ones took "
                   "too long\n",
                   notifier->dropped,
                   notifier->dropped == 1 ? " was" : "s were");
}

// --- the thread ---

static void tell_all(struct notifier *notifier, const json_t *event)
{
    char *text = json_text(event);
    const struct hook_event told = {
        .json = event, .text = text, .is_late = is_late, .user = notifier};

    for (size_t i = 0; text != NULL && i < notifier->n_hooks; i++) {
        struct hook *hook = &notifier->hooks[i];
        char why[HOOK_WHY_BYTES] =
            "the job has ended, and the event came too late";

        hook->asked++;
        if (is_late(notifier) || !hook->tell(&told, hook->target, why))
            note_failure(hook, event, why);
    }
    free(text);
}

// Returns NULL at the end. Call with the lock held.
static json_t *next_event(struct notifier *notifier)
{
    json_t *event = NULL;

    while (notifier->n == 0 && !notifier->ending)
        (void)pthread_cond_wait(&notifier->change, &notifier->lock);
    if (notifier->n == 0)
        return NULL;
    event = notifier->events[0];
    notifier->n--;
    memmove(notifier->events, notifier->events + 1,
            notifier->n * sizeof *notifier->events);
    return event;
}

static void *serve(void *user)
{
    struct notifier *notifier = user;
    json_t *event;

    (void)pthread_mutex_lock(&notifier->lock);
    while ((event = next_event(notifier)) != NULL) {
        (void)pthread_mutex_unlock(&notifier->lock);
        tell_all(notifier, event);
        json_decref(event);
        (void)pthread_mutex_lock(&notifier->lock);
    }
    (void)pthread_mutex_unlock(&notifier->lock);
    return NULL;
}

// --- the interface ---

static bool check_urls(const struct options *options, struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, OPT_NOTIFY, &texts);

    for (size_t i = 0; i < n; i++) {
        if (strncmp(texts[i], "http://", 7) == 0 ||
            strncmp(texts[i], "https://", 8) == 0)
            continue;
        err_set(
            err, ERR_INPUT,
            "--notify takes a URL that begins with http:// or https://, not "
            "%.120s",
            texts[i]);
        return false;
    }
    return true;
}

static size_t add_hooks(struct notifier *notifier,
                        const struct options *options, enum option_id id,
                        const struct hook *like)
{
    const char *const *texts;
    size_t n = option_list(options, id, &texts);

    for (size_t i = 0; notifier != NULL && i < n; i++) {
        notifier->hooks[notifier->n_hooks] = *like;
        notifier->hooks[notifier->n_hooks++].target = texts[i];
    }
    return n;
}

static struct notifier *make_notifier(const struct options *options)
{
    const struct hook url = {.tell = hook_post, .noun = "hook"};
    const struct hook command = {.tell = hook_run, .noun = "command"};
    struct notifier *notifier = calloc(1, sizeof *notifier);
    size_t n = add_hooks(NULL, options, OPT_NOTIFY, &url) +
               add_hooks(NULL, options, OPT_ON_EVENT, &command);

    if (notifier == NULL)
        return NULL;
    notifier->hooks = calloc(n, sizeof *notifier->hooks);
    if (notifier->hooks == NULL) {
        free(notifier);
        return NULL;
    }
    (void)add_hooks(notifier, options, OPT_NOTIFY, &url);
    (void)add_hooks(notifier, options, OPT_ON_EVENT, &command);
    notifier->best = -1;
    (void)pthread_mutex_init(&notifier->lock, NULL);
    (void)pthread_cond_init(&notifier->change, NULL);
    return notifier;
}

static void free_notifier(struct notifier *notifier)
{
    (void)pthread_cond_destroy(&notifier->change);
    (void)pthread_mutex_destroy(&notifier->lock);
    free(notifier->hooks);
    free(notifier);
}

bool notifier_start(struct notifier **out, const struct options *options,
                    struct err *err)
{
    struct notifier *notifier;

    *out = NULL;
    if (!option_on(options, OPT_NOTIFY) && !option_on(options, OPT_ON_EVENT))
        return true;
    if (!check_urls(options, err))
        return false;
    notifier = make_notifier(options);
    if (notifier == NULL) {
        err_nomem(err, "notifications");
        return false;
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    if (thread_start(&notifier->thread, serve, notifier, "notifications",
                     err)) {
        *out = notifier;
        return true;
    }
    free_notifier(notifier);
    return false;
}

void notifier_look(struct notifier *notifier, const struct progress *progress)
{
    if (notifier == NULL || progress->best <= notifier->best)
        return;
    notifier->best = progress->best;
    if (progress->baseline < 0 || progress->best <= progress->baseline)
        return;
    notifier_tell(notifier,
                  json_pack("{s:s,s:s,s:f,s:f,s:f,s:f,s:I,s:I}", "event",
                            "best", "job", progress->job, "score",
                            progress->best, "low", progress->best_low, "high",
                            progress->best_high, "baseline", progress->baseline,
                            "trial", (json_int_t)progress->best_trial, "calls",
                            (json_int_t)progress->calls));
}

void notifier_tell(struct notifier *notifier, json_t *event)
{
    if (notifier == NULL || event == NULL) {
        json_decref(event);
        return;
    }
    (void)pthread_mutex_lock(&notifier->lock);
    if (notifier->n == QUEUE_EVENTS) {
        json_decref(notifier->events[--notifier->n]);
        notifier->dropped++;
    }
    notifier->events[notifier->n++] = event;
    (void)pthread_cond_broadcast(&notifier->change);
    (void)pthread_mutex_unlock(&notifier->lock);
}

void notifier_stop(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    (void)pthread_mutex_lock(&notifier->lock);
    notifier->ending = true;
    notifier->end_ms = clock_monotonic_ms() + END_MS;
    (void)pthread_cond_broadcast(&notifier->change);
    (void)pthread_mutex_unlock(&notifier->lock);
    (void)pthread_join(notifier->thread, NULL);
    report_failures(notifier);
    free_notifier(notifier);
}
