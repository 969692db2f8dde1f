// simulate: a whole cluster in one process, on one seed.
//
//   simulate [--seeds N] [--first SEED] [--workers N] [--twice] [--troubles]
//            [--verbose]
//
// See README.md. A failing seed is printed with what is wrong, and `simulate
// --first SEED --seeds 1` runs it again, exactly the same step by step.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "simulation/machine.h"
#include "simulation/troubles.h"
#include "simulation/world.h"

// The troubles that --troubles runs before the seeds.
static bool (*const troubles[])(void) = {
    deaths_run, losses_run, demand_run, pause_run, outages_run,
};

struct options {
    uint64_t seeds, first;
    int workers; // 0: drawn by the seed
    bool twice, troubles, verbose;
};

static bool run_seed(const struct options *options, uint64_t seed)
{
    bool right = weather_run(seed, options->workers, options->verbose);
    uint64_t trace = machine_trace();

    if (!options->twice)
        return right;
    right &= weather_run(seed, options->workers, options->verbose);
    if (trace == machine_trace())
        return right;
    (void)fprintf(stderr, "seed %" PRIu64 ": the second run is another one\n",
                  seed);
    return false;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.seeds = 100, .first = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--twice") == 0)
            options->twice = true;
        else if (strcmp(argv[i], "--troubles") == 0)
            options->troubles = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            options->verbose = true;
        else if (strcmp(argv[i], "--seeds") == 0 && ++i < argc)
            options->seeds = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--first") == 0 && ++i < argc)
            options->first = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--workers") == 0 && ++i < argc)
            options->workers = atoi(value);
        else
            return false;
    }
    return options->workers >= 0 && options->workers <= WORLD_WORKERS_MOST;
}

static bool run_all(const struct options *options)
{
    for (size_t i = 0;
         options->troubles && i < sizeof troubles / sizeof *troubles; i++)
        if (!troubles[i]())
            return false;
    for (uint64_t i = 0; i < options->seeds; i++)
        if (!run_seed(options, options->first + i))
            return false;
    return true;
}

// Makes the sanitizer reuse freed memory soon, as one process makes thousands
// of runs.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=2";
}

int main(int argc, char **argv)
{
    struct options options;
    bool right;

    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "simulate [--seeds N] [--first SEED] "
                              "[--workers N] [--twice] [--troubles] "
                              "[--verbose]\n");
        return 2;
    }
    log_set_level(options.verbose ? LOG_DEBUG : LOG_SILENT);
    right = world_open() && run_all(&options);
    world_close();
    if (right)
        printf("%" PRIu64 " seeds, nothing found\n", options.seeds);
    return right ? 0 : 1;
}
