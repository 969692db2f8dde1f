#include "tally.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const struct err *err)
{
    (void)fprintf(stderr, "bench: %s\n", err->text);
    exit(EXIT_FAILURE);
}

size_t argument(int argc, char **argv, int i, size_t fallback)
{
    size_t value = i < argc ? strtoul(argv[i], NULL, 10) : fallback;

    if (value > 0)
        return value;
    (void)fprintf(stderr, "bench: `%s` is not a number above 0\n", argv[i]);
    exit(EXIT_FAILURE);
}

static double clock_s(clockid_t id)
{
    struct timespec at = {0};

    (void)clock_gettime(id, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

double wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

double thread_cpu_s(void)
{
    return clock_s(CLOCK_THREAD_CPUTIME_ID);
}

double process_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare_ids(const void *a, const void *b)
{
    long one = *(const long *)a;
    long other = *(const long *)b;

    return one < other ? -1 : one > other;
}

void thread_list_read(struct thread_list *list)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry = NULL;

    list->n = 0;
    while (folder != NULL && list->n < TALLY_THREADS &&
           (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            list->ids[list->n++] = strtol(entry->d_name, NULL, 10);
    if (folder != NULL)
        (void)closedir(folder);
    qsort(list->ids, list->n, sizeof *list->ids, compare_ids);
}

double thread_list_cpu_s(const struct thread_list *list, size_t i)
{
    char path[64];
    unsigned long long ran_ns = 0;

    (void)snprintf(path, sizeof path, "/proc/self/task/%ld/schedstat",
                   list->ids[i]);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &ran_ns) != 1)
        ran_ns = 0;
    (void)fclose(file);
    return (double)ran_ns * 1e-9;
}

static bool has(const struct thread_list *list, long id)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->ids[i] == id)
            return true;
    return false;
}

void thread_list_new(const struct thread_list *before,
                     const struct thread_list *after, struct thread_list *out)
{
    out->n = 0;
    for (size_t i = 0; i < after->n; i++)
        if (!has(before, after->ids[i]))
            out->ids[out->n++] = after->ids[i];
}

double peak_mib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    return (double)kib / 1024;
}
