#include "fault/alloc_fault.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

// The linker redirects our calls of malloc to __wrap_malloc, and calls of
// __real_malloc to malloc; likewise for the other functions.
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

enum { RUNS_MAX = 100000 };

static atomic_bool armed;
static atomic_size_t count;  // allocations since the scenario began
static atomic_size_t failed; // how many of these were refused
static size_t nth;           // the first to refuse
static bool lasting;         // all later ones are refused, too

static bool refuse(void)
{
    if (!atomic_load(&armed))
        return false;
    size_t at = atomic_fetch_add(&count, 1);
    if (at < nth || (at > nth && !lasting))
        return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t items, size_t size)
{
    return refuse() ? NULL : __real_calloc(items, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refuse() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
    size_t used = strnlen(text, len);
    char *copy = __wrap_malloc(used + 1);

    if (copy != NULL) {
        memcpy(copy, text, used);
        copy[used] = '\0';
    }
    return copy;
}

// jansson is not linked with us, so it is given our functions as allocators,
// before anything can have asked it for memory.
__attribute__((constructor)) static void join_jansson(void)
{
    json_set_alloc_funcs(__wrap_malloc, free);
}

bool fault_pause(void)
{
    return atomic_exchange(&armed, false);
}

void fault_resume(bool was_armed)
{
    atomic_store(&armed, was_armed);
}

static bool run_armed(fault_scenario *scenario, struct err *err)
{
    atomic_store(&count, 0);
    atomic_store(&failed, 0);
    atomic_store(&armed, true);
    bool worked = scenario(err);
    atomic_store(&armed, false);
    return worked;
}

// Runs the scenario once with allocation n failing; returns false when it had
// no such allocation.
static bool run_nth(fault_scenario *scenario, size_t n, bool and_after)
{
    struct err err = ERR_CLEAR;

    nth = n;
    lasting = and_after;
    bool worked = run_armed(scenario, &err);
    if (atomic_load(&failed) == 0) {
        cr_assert(worked, "without a failure: %s", err.text);
        return false;
    }
    // The scenario may survive some failures and work anyway.
    cr_assert(worked || err.code == ERR_NOMEM,
              "allocation %zu%s failed: the error is %s, \"%s\"", n,
              and_after ? " and all after it" : "", err_code_name(err.code),
              err.text);
    return true;
}

size_t fault_each(fault_scenario *scenario)
{
    size_t runs = 0;

    for (int and_after = 0; and_after < 2; and_after++) {
        for (runs = 0; run_nth(scenario, runs, and_after != 0); runs++)
            cr_assert_lt(runs, RUNS_MAX, "the scenario never ends");
        cr_assert_gt(runs, 0, "the scenario allocates nothing");
    }
    return runs;
}
