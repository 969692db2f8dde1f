// bench_calls: how many calls per second the whole pipeline makes.
//
//   bench_calls [CALLS] [ROWS] [WORKERS] [SLOTS] [inproc|tcp|curve]
//
// A job of 100,000 calls goes through a real coordinator: rendering, keys,
// dispatch, wire, in-process workers that answer at once, store, parsing and
// metric. Prints calls per second, and the CPU time that each thread spent per
// call. bench_stages measures the same path piece by piece.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/log.h"
#include "null_workers.h"
#include "rig.h"

// Over tcp, and over curve, which is tcp with keys, each worker is a process;
// otherwise workers are threads of this process.
enum way { WAY_INPROC, WAY_TCP, WAY_CURVE };

struct costs {
    double loop_s, writer_s, workers_s, process_s, wall_s;
};

static void print_costs(const struct load *load, const struct costs *costs)
{
    double us = 1e6 / (double)load->n_calls;
    double rest =
        costs->process_s - costs->loop_s - costs->writer_s - costs->workers_s;

    printf("calls            %zu in %zu trials, %.2f s\n", load->n_calls,
           load->n_trials, costs->wall_s);
    printf("calls_per_s      %.0f\n", (double)load->n_calls / costs->wall_s);
    printf("us a call: wall %.1f = loop %.1f, writer %.1f, null workers %.1f, "
           "job thread and rest %.1f of CPU, %.1f in all\n",
           costs->wall_s * us, costs->loop_s * us, costs->writer_s * us,
           costs->workers_s * us, rest * us, costs->process_s * us);
    printf("peak_mib         %.1f (workers and client included)\n", peak_mib());
}

static void measure(const struct load *load, size_t n_workers, int slots,
                    enum way way)
{
    bool keyed = way == WAY_CURVE;
    bool apart = way != WAY_INPROC;
    struct null_processes *processes =
        apart ? null_processes_fork(n_workers) : NULL;
    struct rig_keys keys;
    const char *endpoint;
    void *zmq = zmq_ctx_new();
    struct rig_folder folder;
    struct rig_result result;
    struct thread_list threads;
    struct costs costs = {0};
    struct coordinator *coordinator = NULL;
    struct null_workers *workers = NULL;

    rig_folder_make(&folder);
    if (keyed)
        rig_keys_make(&folder, &keys);
    coordinator = rig_start(
        zmq, way == WAY_INPROC ? "inproc://bench" : "tcp://127.0.0.1:0",
        &folder, keyed ? keys.path : NULL, &threads);
    endpoint = coordinator_endpoint(coordinator);
    if (apart)
        null_processes_start(processes, endpoint, keyed ? &keys.worker : NULL,
                             slots);
    else
        workers = null_workers_start(zmq, endpoint, NULL, n_workers, slots);
    rig_settle();
    rig_run(zmq, endpoint, keyed ? &keys.client : NULL, load, &result);
    costs.wall_s = result.wall_s;
    costs.process_s = process_cpu_s();
    costs.loop_s = thread_list_cpu_s(&threads, 0);
    costs.writer_s = thread_list_cpu_s(&threads, 1);
    costs.workers_s =
        apart ? null_processes_stop(processes) : null_workers_stop(workers);
    if (apart) // other processes' time, but part of a call's cost
        costs.process_s += costs.workers_s;
    coordinator_stop(coordinator);
    (void)zmq_ctx_term(zmq);
    print_costs(load, &costs);
    rig_result_release(&result);
    if (keyed)
        rig_keys_remove(&keys);
    rig_folder_remove(&folder);
}

static enum way read_way(const char *text)
{
    if (strcmp(text, "tcp") == 0)
        return WAY_TCP;
    return strcmp(text, "curve") == 0 ? WAY_CURVE : WAY_INPROC;
}

int main(int argc, char **argv)
{
    struct load load;

    log_set_level(LOG_ERROR);
    load_make(&load, argument(argc, argv, 1, LOAD_CALLS),
              argument(argc, argv, 2, LOAD_ROWS));
    measure(&load, argument(argc, argv, 3, 2),
            (int)argument(argc, argv, 4, 256),
            argc > 5 ? read_way(argv[5]) : WAY_INPROC);
    load_release(&load);
    return EXIT_SUCCESS;
}
