// Nobody can answer, so the job pauses until a worker comes that can.
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/machine.h"
#include "simulation/servers.h"
#include "simulation/world.h"

enum { GOOD = 2 }; // the last worker to join

static bool job_runs;

static void join_good_one(void *user)
{
    (void)user;
    world_start_worker(GOOD);
    world.n_workers = GOOD + 1;
}

// Acts as a client that connects only for this call, like one that is started
// by hand.
static void with_client(void (*act)(struct client *))
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, WORLD_ENDPOINT, NULL, 5000, &err);

    if (client == NULL)
        world_fail(err.text);
    else
        act(client);
    client_close(client);
}

// Checks whether a job is running, as the coordinator says.
static void look_for_jobs(struct client *client)
{
    struct err err = ERR_CLEAR;
    char *document = NULL;

    if (!client_command(client, "status", "", "", &document, &err))
        world_fail(err.text);
    job_runs = document != NULL && strstr(document, "\"jobs\":[]") == NULL;
    free(document);
}

// The client of a job that pauses goes away, and nobody else does anything for
// the job. It returns for the result long after the job is done.
static void *run_absent_client(void *arg)
{
    int64_t answered;

    (void)arg;
    with_client(world_submit);
    if (world.finished)
        world_fail("a job that nobody answers does not pause");
    machine_at(machine_now_us() + world_draw_seconds(120), join_good_one, NULL);
    while (world.wrong == NULL && servers_get(GOOD)->answered == 0)
        machine_sleep(SECOND);
    do {
        machine_sleep(SECOND);
        with_client(look_for_jobs);
    } while (world.wrong == NULL && job_runs);
    answered = servers_get(GOOD)->answered;
    with_client(world_submit);
    if (servers_get(GOOD)->answered != answered)
        world_fail("the job had not gone on to its end by itself");
    return NULL;
}

static void begin(void)
{
    world.patience_s = WORLD_LONG_PATIENCE_S;
    for (int i = 0; i < world.n_workers; i++)
        servers_get(i)->away_us = INT64_MAX;
}

static const struct trouble trouble = {.begin = begin,
                                       .client = run_absent_client};

bool pause_run(void)
{
    bool same = world_run(&trouble, 1, 0, GOOD);

    if (same)
        printf("a job that paused goes on by itself\n");
    else
        (void)fprintf(stderr, "a job that paused: %s\n", world.wrong);
    return same;
}
