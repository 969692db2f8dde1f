#include "cli/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

#include "cli/output.h"
#include "common/clock.h"
#include "common/descriptors.h"
#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "common/thread.h"
#include "model/reach.h"

extern char **environ;

enum {
    QUEUE_EVENTS = 32,
    HOOK_MS = 10000,
    COMMAND_MS = 30000,
    END_MS = 12000,
    LOOK_MS = 20,
    ENVIRONMENT_BYTES = 400,
    WHY_BYTES = 200,
};

struct notifier;

// One URL or command, and how it is doing. It belongs to the thread, and to the
// owner once the thread has ended.
struct hook {
    void (*tell)(struct notifier *notifier, struct hook *hook,
                 const json_t *event, const char *text);
    const char *noun;   // "hook", "command"
    const char *target; // borrowed
    size_t asked, failed;
    char why[WHY_BYTES]; // about the last failure
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

static bool is_late(struct notifier *notifier)
{
    bool late;

    (void)pthread_mutex_lock(&notifier->lock);
    late = notifier->ending && clock_monotonic_ms() > notifier->end_ms;
    (void)pthread_mutex_unlock(&notifier->lock);
    return late;
}

static void fail(struct hook *hook, const json_t *event, const char *why)
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

// --- hooks ---

static size_t ignore_reply(char *data, size_t size, size_t n, void *user)
{
    (void)data;
    (void)user;
    return size * n;
}

static int watch_the_end(void *user, curl_off_t a, curl_off_t b, curl_off_t c,
                         curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return is_late(user);
}

static void tell_url(struct notifier *notifier, struct hook *hook,
                     const json_t *event, const char *text)
{
    const char *url = hook->target;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;
    char why[WHY_BYTES];

    if (curl != NULL && headers != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)reach_set_up(curl, url, false);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HOOK_MS);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_reply);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_the_end);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, notifier);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "promptcc/" PROMPTCC_VERSION);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK) {
        fail(hook, event, curl_easy_strerror(code));
    } else if (status >= 300) {
        (void)text_print(why, sizeof why, "it answers %ld", status);
        fail(hook, event, why);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

// --- commands ---

struct variable {
    char text[ENVIRONMENT_BYTES];
};

// Returns the environment with three more variables in front; the caller frees
// the array.
static char **make_environment(const json_t *event, struct variable added[3])
{
    size_t n = 0;
    char **all;

    (void)text_print(added[0].text, ENVIRONMENT_BYTES, "PROMPTCC_EVENT=%s",
                     json_get_text(event, "event", ""));
    (void)text_print(added[1].text, ENVIRONMENT_BYTES, "PROMPTCC_JOB=%s",
                     json_get_text(event, "job", ""));
    (void)text_print(added[2].text, ENVIRONMENT_BYTES, "PROMPTCC_SCORE=%.6g",
                     json_get_number(event, "score", 0));
    while (environ[n] != NULL)
        n++;
    all = calloc(n + 4, sizeof *all);
    for (size_t i = 0; all != NULL && i < 3; i++)
        all[i] = added[i].text;
    if (all != NULL)
        memcpy(all + 3, environ, n * sizeof *all);
    return all;
}

// Starts the command in its own process group, so that everything it starts can
// be ended with it.
static bool spawn(const char *command, int in, char **environment, pid_t *pid,
                  char why[WHY_BYTES])
{
    const char *words[] = {"sh", "-c", command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    int failed;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGINT);
    (void)sigaddset(&usual, SIGTERM);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
                                           STDOUT_FILENO);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                                    POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    descriptors_close_on_exec();
    failed = posix_spawn(pid, "/bin/sh", &actions, &attributes,
                         (char *const *)words, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        (void)text_print(why, WHY_BYTES, "it cannot be started: %s",
                         strerror(failed));
    return failed == 0;
}

// Waits for the command, and kills its group when its time is up. Returns false
// and why it failed.
static bool await(struct notifier *notifier, pid_t pid, char *why)
{
    int64_t end = clock_monotonic_ms() + COMMAND_MS;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

        if (clock_monotonic_ms() > end || is_late(notifier)) {
            (void)kill(-pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            (void)text_print(why, WHY_BYTES, "it took too long");
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    if (WIFEXITED(status))
        (void)text_print(why, WHY_BYTES, "it ended with status %d",
                         WEXITSTATUS(status));
    else
        (void)text_print(why, WHY_BYTES, "it was ended by signal %d",
                         WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Opens an unnamed file that holds the event as one line, so that `cat >> FILE`
// collects JSON lines. A pipe would block if the command does not read.
static int open_text(const char *text, char why[WHY_BYTES])
{
    char *path = file_join(file_temp_folder(), "promptcc-event-XXXXXX");
    int fd = path == NULL ? -1 : mkstemp(path);
    bool ok = fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
              dprintf(fd, "%s\n", text) == (int)strlen(text) + 1 &&
              lseek(fd, 0, SEEK_SET) == 0;

    if (!ok)
        (void)text_print(why, WHY_BYTES,
                         "its input cannot be written in %s, which TMPDIR "
                         "may change: %s",
                         FILE_SHOWN(file_temp_folder(), 80), strerror(errno));
    if (fd >= 0)
        (void)unlink(path);
    if (fd >= 0 && !ok)
        (void)close(fd);
    free(path);
    return ok ? fd : -1;
}

static void tell_command(struct notifier *notifier, struct hook *hook,
                         const json_t *event, const char *text)
{
    struct variable added[3];
    char **environment = make_environment(event, added);
    char why[WHY_BYTES] = "there is no memory for its environment";
    bool ok = false;
    int fd = environment == NULL ? -1 : open_text(text, why);
    pid_t pid;

    if (fd >= 0 && spawn(hook->target, fd, environment, &pid, why))
        ok = await(notifier, pid, why);
    if (!ok)
        fail(hook, event, why);
    if (fd >= 0)
        close(fd);
    free(environment);
}

// --- the thread ---

static void tell_all(struct notifier *notifier, const json_t *event)
{
    char *text = json_text(event);

    for (size_t i = 0; text != NULL && i < notifier->n_hooks; i++) {
        struct hook *hook = &notifier->hooks[i];

        hook->asked++;
        if (is_late(notifier))
            fail(hook, event, "the job has ended, and the event came too late");
        else
            hook->tell(notifier, hook, event, text);
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
    const struct hook url = {.tell = tell_url, .noun = "hook"};
    const struct hook command = {.tell = tell_command, .noun = "command"};
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
