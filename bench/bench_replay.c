// bench_replay: how long a finished job takes to run again, how much memory a
// coordinator needs for it, how large its store is, and how fast the store
// answers queries.
//
//   bench_replay [CALLS] [ROWS] [FOLDER]
//
// Uses three processes. One holds null workers on an ipc socket. One is a
// coordinator that runs the whole job with them, so that its peak memory does
// not include theirs. When both are gone, a fresh coordinator runs the same job
// again without any worker: all it has is the store. Finally the store is
// queried, as `promptcc trials` and similar commands do.
//
// With FOLDER, which an earlier run with the same numbers kept ($BENCH_KEEP),
// the job is only replayed.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "common/json.h"
#include "common/log.h"
#include "null_workers.h"
#include "rig.h"
#include "store/lookup.h"
#include "store/query.h"

enum { WORKERS = 2, SLOTS = 256 };

// What a coordinator's process reports.
struct report {
    double open_s, run_s, cpu_s, peak_mib;
    char document[4096];
};

static void tell(int out, const struct report *report)
{
    if (write(out, report, sizeof *report) != (ssize_t)sizeof *report)
        exit(EXIT_FAILURE);
}

static void run_job(const struct rig_folder *folder, const char *endpoint,
                    const struct load *load, struct report *report)
{
    void *zmq = zmq_ctx_new();
    struct thread_list threads;
    struct rig_result result;
    double begun = wall_s();
    double cpu = process_cpu_s();
    struct coordinator *coordinator =
        rig_start(zmq, endpoint, folder, NULL, &threads);

    report->open_s = wall_s() - begun;
    rig_settle();
    rig_run(zmq, endpoint, NULL, load, &result);
    report->run_s = result.wall_s;
    report->cpu_s = process_cpu_s() - cpu;
    report->peak_mib = peak_mib();
    (void)snprintf(report->document, sizeof report->document, "%s",
                   result.document);
    rig_result_release(&result);
    coordinator_stop(coordinator);
    (void)zmq_ctx_term(zmq);
}

// Runs the job in a child process.
static void run_apart(const struct rig_folder *folder, const char *endpoint,
                      const struct load *load, struct report *report)
{
    int ends[2];

    if (pipe(ends) != 0)
        abort();
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        *report = (struct report){0};
        run_job(folder, endpoint, load, report);
        tell(ends[1], report);
        _exit(EXIT_SUCCESS);
    }
    (void)close(ends[1]);
    bool ok = read(ends[0], report, sizeof *report) == (ssize_t)sizeof *report;
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    if (!ok)
        exit(EXIT_FAILURE);
}

// Runs null workers in a child process; they end when `alive` is closed.
static pid_t serve_apart(const char *endpoint, int *alive)
{
    int ends[2];
    char byte;

    if (pipe(ends) != 0)
        abort();
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        void *zmq = zmq_ctx_new();
        struct null_workers *workers = NULL;

        (void)close(ends[1]);
        workers = null_workers_start(zmq, endpoint, NULL, WORKERS, SLOTS);
        (void)!read(ends[0], &byte, 1);
        (void)null_workers_stop(workers);
        (void)zmq_ctx_term(zmq);
        _exit(EXIT_SUCCESS);
    }
    (void)close(ends[0]);
    *alive = ends[1];
    return child;
}

static void print_replay(const struct report *again)
{
    printf("replay_s            %.3f = %.3f to open the store + %.3f from "
           "SUBMIT to RESULT\n",
           again->open_s + again->run_s, again->open_s, again->run_s);
    printf("replay_cpu_s        %.3f\n", again->cpu_s);
    printf("replay_peak_mib     %.1f\n", again->peak_mib);
}

static void print_reports(const struct load *load, const struct report *first,
                          const struct report *again)
{
    printf("job                 %zu calls in %zu trials\n", load->n_calls,
           load->n_trials);
    printf("run_calls_per_s     %.0f (workers in another process, over ipc)\n",
           (double)load->n_calls / first->run_s);
    printf("run_peak_mib        %.1f\n", first->peak_mib);
    print_replay(again);
    printf("same_result         %s\n",
           strcmp(first->document, again->document) == 0 ? "yes" : "NO");
}

// --- the store ---

static void print_size(struct store *store, const char *path,
                       const struct load *load)
{
    struct err err = ERR_CLEAR;
    struct stat status = {0};
    json_t *rows = query_rows(store,
                              "SELECT avg(length(CAST(reply AS BLOB))) AS bytes"
                              " FROM call_texts WHERE id <= 10000",
                              NULL, 0, &err);
    double reply = json_get_number(json_array_get(rows, 0), "bytes", 0);

    if (rows == NULL || stat(path, &status) != 0)
        die(&err);
    double bytes = (double)status.st_size / (double)load->n_calls;
    printf("store_bytes_a_call  %.0f, of which %.0f are the reply's text\n",
           bytes, reply);
    json_decref(rows);
}

static void ask(struct store *store, const char *verb, const char *sql)
{
    struct err err = ERR_CLEAR;
    json_t *argument = sql == NULL ? NULL : json_pack("{s:s}", "sql", sql);
    double begun = wall_s();
    double cpu = thread_cpu_s();
    json_t *answer = lookup_answer(store, verb, "", argument, &err);

    cpu = thread_cpu_s() - cpu;
    printf("asked               %4.0f ms, %4.0f of CPU: %s %s\n",
           1e3 * (wall_s() - begun), 1e3 * cpu, verb, sql == NULL ? "" : sql);
    if (answer == NULL)
        printf("                    no answer: %s\n", err.text);
    json_decref(answer);
    json_decref(argument);
}

static void ask_store(const char *path, const struct load *load)
{
    struct err err = ERR_CLEAR;
    struct store *store = store_open_read(path, &err);

    if (store == NULL)
        die(&err);
    print_size(store, path, load);
    ask(store, "jobs", NULL);
    ask(store, "trials", NULL);
    ask(store, "best", NULL);
    ask(store, "query", "SELECT * FROM v_trials ORDER BY trial DESC LIMIT 50");
    ask(store, "query",
        "SELECT * FROM v_evaluations WHERE candidate = 7 AND row = 3");
    ask(store, "query", "SELECT * FROM v_calls ORDER BY id DESC LIMIT 50");
    ask(store, "query", "SELECT count(*) FROM v_calls");
    ask(store, "query",
        "SELECT outcome, count(*) FROM v_evaluations GROUP BY outcome");
    ask(store, "query", "SELECT * FROM v_cost");
    ask(store, "query",
        "SELECT worker, sum(calls), sum(model_s) FROM v_workers"
        " GROUP BY worker");
    ask(store, "query", "SELECT worker, count(*) FROM v_calls GROUP BY worker");
    store_close(store);
}

static void replay_kept(const struct load *load, const char *path)
{
    struct rig_folder folder;
    struct report again;
    char endpoint[192];

    (void)snprintf(folder.path, sizeof folder.path, "%s", path);
    (void)snprintf(folder.store, sizeof folder.store, "%s/store.db", path);
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/socket", path);
    run_apart(&folder, endpoint, load, &again);
    print_replay(&again);
    ask_store(folder.store, load);
}

int main(int argc, char **argv)
{
    struct load load;
    struct rig_folder folder;
    struct report first, again;
    char endpoint[192];
    int alive = -1;

    log_set_level(LOG_ERROR);
    load_make(&load, argument(argc, argv, 1, LOAD_CALLS),
              argument(argc, argv, 2, LOAD_ROWS));
    if (argc > 3) {
        replay_kept(&load, argv[3]);
        load_release(&load);
        return EXIT_SUCCESS;
    }
    rig_folder_make(&folder);
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/socket", folder.path);
    pid_t workers = serve_apart(endpoint, &alive);
    run_apart(&folder, endpoint, &load, &first);
    (void)close(alive);
    (void)waitpid(workers, NULL, 0);
    run_apart(&folder, endpoint, &load, &again);
    print_reports(&load, &first, &again);
    ask_store(folder.store, &load);
    rig_folder_remove(&folder);
    load_release(&load);
    return EXIT_SUCCESS;
}
