#include "simulation/machine.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

// The originals of the functions that the linker replaces (--wrap).
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __real_pthread_join(pthread_t thread, void **result);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);

// Their replacements.
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

enum { MAX_THREADS = 1024, MAX_PROCESSES = 1024, MAX_EVENTS = 1 << 20 };

// The wall clock at the start. Any time will do, as long as it is always the
// same.
static const int64_t WALL_US = INT64_C(1790000000) * 1000000;

struct thread {
    pthread_t handle;
    sem_t go;
    int process;
    void *(*run)(void *arg);
    void *arg;
    bool ended;
    bool (*ready)(void *user); // NULL: it only gave way to others
    void *user;
    int64_t until_us; // -1: no limit
    const void *cond; // the condition it waits for, or NULL
    bool signaled;
};

struct event {
    int64_t at_us;
    uint64_t order;
    void (*fire)(void *user);
    void *user;
};

static struct {
    uint64_t random;
    uint64_t trace;
    int64_t now_us;
    int64_t wall_us; // offset from the monotonic clock
    struct thread *threads[MAX_THREADS];
    int n_threads;
    int process; // the driver's
    int64_t stopped_us[MAX_PROCESSES];
    uint64_t runs[MAX_PROCESSES];
    bool (*ready)(void *user); // what the driver waits for
    void *user;
    int64_t until_us;
    struct event *events; // a heap
    size_t n_events;
    uint64_t n_ever;
    sem_t driver;
} machine;

static _Thread_local struct thread *self; // NULL: the driver

static void die(const char *why)
{
    (void)fprintf(stderr, "simulation: %s\n", why);
    abort();
}

// --- chance ---

uint64_t machine_random(void)
{
    uint64_t z = machine.random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t machine_below(uint64_t n)
{
    return machine_random() % n;
}

bool machine_chance(double p)
{
    return (double)(machine_random() >> 11) * 0x1p-53 < p;
}

uint64_t machine_trace(void)
{
    return machine.trace;
}

void machine_trace_add(uint64_t value)
{
    machine.trace = (machine.trace ^ value) * UINT64_C(0x100000001b3);
}

// Replaces libsodium's generator, which draws identities and epochs of peers.
static const char *random_name(void)
{
    return "simulation";
}

static uint32_t random_number(void)
{
    return (uint32_t)machine_random();
}

static void random_bytes(void *const out, size_t len)
{
    unsigned char *bytes = out;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)machine_random();
}

static struct randombytes_implementation chance = {
    .implementation_name = random_name,
    .random = random_number,
    .buf = random_bytes,
};

// --- life ---

void machine_start(uint64_t seed)
{
    struct event *events = machine.events;

    if (events == NULL) {
        events = malloc(MAX_EVENTS * sizeof *events);
        if (events == NULL || randombytes_set_implementation(&chance) != 0)
            die("cannot start");
        (void)sem_init(&machine.driver, 0, 0);
    }
    machine.random = seed;
    machine.trace = UINT64_C(0xcbf29ce484222325);
    machine.now_us = 1000000;
    machine.wall_us = WALL_US;
    machine.events = events;
    machine.n_events = 0;
    machine.process = 0;
    memset(machine.stopped_us, 0, sizeof machine.stopped_us);
    memset(machine.runs, 0, sizeof machine.runs);
}

int64_t machine_now_us(void)
{
    return machine.now_us;
}

void machine_jump_wall(int64_t us)
{
    machine.wall_us += us;
}

void machine_set_process(int process)
{
    machine.process = process;
}

int machine_process(void)
{
    return self == NULL ? machine.process : self->process;
}

void machine_stop_process(int process, int64_t until_us)
{
    if (machine.stopped_us[process] < until_us)
        machine.stopped_us[process] = until_us;
}

// --- events ---

static bool is_sooner(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void machine_at(int64_t at_us, void (*fire)(void *user), void *user)
{
    struct event event = {
        .at_us = at_us, .order = machine.n_ever++, .fire = fire, .user = user};
    size_t at = machine.n_events++;

    if (at == MAX_EVENTS)
        die("too many events");
    for (; at > 0 && is_sooner(&event, &machine.events[(at - 1) / 2]);
         at = (at - 1) / 2)
        machine.events[at] = machine.events[(at - 1) / 2];
    machine.events[at] = event;
}

static struct event take_event(void)
{
    struct event first = machine.events[0];
    struct event last = machine.events[--machine.n_events];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= machine.n_events)
            break;
        if (child + 1 < machine.n_events &&
            is_sooner(&machine.events[child + 1], &machine.events[child]))
            child++;
        if (!is_sooner(&machine.events[child], &last))
            break;
        machine.events[at] = machine.events[child];
        at = child;
    }
    if (machine.n_events > 0)
        machine.events[at] = last;
    return first;
}

void machine_end(void)
{
    if (machine.n_threads != 0)
        die("threads are left");
    while (machine.n_events > 0) {
        struct event event = take_event();

        event.fire(event.user);
    }
}

// --- the processor ---

static bool is_ready(const struct thread *thread)
{
    if (thread->ended || machine.now_us < machine.stopped_us[thread->process])
        return false;
    return thread->ready == NULL || thread->ready(thread->user) ||
           (thread->until_us >= 0 && machine.now_us >= thread->until_us);
}

// Returns the time at which the thread can continue without anything else
// happening; -1: never.
static int64_t due_of(const struct thread *thread)
{
    int64_t stopped_us = machine.stopped_us[thread->process];

    if (thread->ended)
        return -1;
    if (machine.now_us < stopped_us)
        return stopped_us;
    return thread->until_us;
}

static void sooner(int64_t *best, int64_t other)
{
    if (other >= 0 && (*best < 0 || other < *best))
        *best = other;
}

static bool pass_time(int64_t until_us)
{
    int64_t next = until_us;

    for (int i = 0; i < machine.n_threads; i++)
        sooner(&next, due_of(machine.threads[i]));
    if (machine.n_events > 0)
        sooner(&next, machine.events[0].at_us);
    if (next < 0)
        return false;
    if (next > machine.now_us)
        machine.now_us = next;
    return true;
}

// Takes one step: runs an event, moves the clock, or picks the thread that runs
// next. Returns false when nothing will ever happen.
static bool step(int64_t until_us, struct thread **next)
{
    struct thread *ready[MAX_THREADS];
    size_t n = 0;

    *next = NULL;
    if (machine.n_events > 0 && machine.events[0].at_us <= machine.now_us) {
        struct event event = take_event();

        event.fire(event.user);
        return true;
    }
    for (int i = 0; i < machine.n_threads; i++)
        if (is_ready(machine.threads[i]))
            ready[n++] = machine.threads[i];
    if (n == 0)
        return pass_time(until_us);
    *next = n == 1 ? ready[0] : ready[machine_below(n)];
    return true;
}

// Returns true if what the driver waits for is ready. Called before each step,
// on whatever thread takes the step.
static bool is_drivers_turn(void)
{
    return machine.ready(machine.user) ||
           (machine.until_us >= 0 && machine.now_us >= machine.until_us);
}

static void take(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue;
}

// Returns the thread that runs next, or NULL for the driver. A thread that has
// to wait calls this itself and hands over the processor; often it chooses
// itself.
static struct thread *choose(void)
{
    struct thread *own = self;
    struct thread *next = NULL;

    self = NULL; // events and the driver's ready() run as the driver
    while (!is_drivers_turn()) {
        if (!step(machine.until_us, &next))
            die("all wait for what will never be");
        if (next != NULL)
            break;
    }
    self = own;
    if (next != NULL)
        machine.runs[next->process]++;
    return next;
}

static void hand_over(struct thread *next)
{
    (void)sem_post(next == NULL ? &machine.driver : &next->go);
}

// Lets other threads go first, until this one is chosen. Call on a thread.
static void give_way(void)
{
    struct thread *own = self;
    struct thread *next = choose();

    if (next == own)
        return;
    hand_over(next);
    take(&own->go);
}

static bool drive(bool (*ready)(void *user), void *user, int64_t until_us)
{
    struct thread *next;

    machine.ready = ready;
    machine.user = user;
    machine.until_us = until_us;
    next = choose();
    if (next != NULL) {
        hand_over(next);
        take(&machine.driver);
    }
    return ready(user);
}

bool machine_wait(bool (*ready)(void *user), void *user, int64_t until_us)
{
    if (self == NULL)
        return drive(ready, user, until_us);
    self->ready = ready;
    self->user = user;
    self->until_us = until_us;
    give_way();
    self->ready = NULL;
    self->until_us = -1;
    return ready(user);
}

uint64_t machine_runs(int process)
{
    return machine.runs[process];
}

static bool never(void *user)
{
    (void)user;
    return false;
}

void machine_sleep(int64_t us)
{
    (void)machine_wait(never, NULL, machine.now_us + us);
}

// --- threads ---

static void *run_thread(void *arg)
{
    struct thread *thread = arg;

    self = thread;
    take(&thread->go);
    (void)thread->run(thread->arg);
    thread->ended = true;
    hand_over(choose());
    return NULL;
}

int __wrap_pthread_create(pthread_t *handle, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg)
{
    struct thread *thread = calloc(1, sizeof *thread);

    if (thread == NULL || machine.n_threads == MAX_THREADS)
        die("too many threads");
    thread->run = run;
    thread->arg = arg;
    thread->until_us = -1;
    thread->process = self == NULL ? machine.process : self->process;
    (void)sem_init(&thread->go, 0, 0);
    int failed =
        __real_pthread_create(&thread->handle, attr, run_thread, thread);
    if (failed != 0)
        die("no thread");
    machine.threads[machine.n_threads++] = thread;
    *handle = thread->handle;
    return 0;
}

static bool has_ended(void *user)
{
    return ((struct thread *)user)->ended;
}

int __wrap_pthread_join(pthread_t handle, void **result)
{
    int at = 0;

    while (at < machine.n_threads &&
           !pthread_equal(machine.threads[at]->handle, handle))
        at++;
    if (at == machine.n_threads)
        return ESRCH;
    struct thread *thread = machine.threads[at];
    (void)machine_wait(has_ended, thread, -1);
    (void)__real_pthread_join(handle, result);
    for (at = 0; machine.threads[at] != thread; at++)
        continue;
    machine.threads[at] = machine.threads[--machine.n_threads];
    (void)sem_destroy(&thread->go);
    free(thread);
    return 0;
}

static bool try_mutex(void *user)
{
    return pthread_mutex_trylock(user) == 0;
}

// Takes a mutex. The mutex is real, and belongs to the thread that locks it.
// The driver's ready() is called on other threads, so the driver tries the lock
// itself.
static void take_mutex(pthread_mutex_t *mutex)
{
    while (!try_mutex(mutex)) {
        if (self != NULL)
            give_way();
        else
            machine_sleep(1);
    }
}

// Others may run before the thread takes the mutex, so they can get in between.
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (self != NULL && machine_below(64) == 0)
        give_way();
    take_mutex(mutex);
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    return __real_pthread_mutex_unlock(mutex);
}

static bool is_signaled(void *user)
{
    return ((struct thread *)user)->signaled;
}

// The driver just checks again in a moment, as after a spurious wake-up.
static int wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex,
                    int64_t until_us)
{
    bool signaled = true;

    (void)__real_pthread_mutex_unlock(mutex);
    if (self == NULL)
        machine_sleep(100);
    else {
        self->cond = cond;
        self->signaled = false;
        signaled = machine_wait(is_signaled, self, until_us);
        self->cond = NULL;
    }
    take_mutex(mutex);
    return signaled ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return wait_for(cond, mutex, -1);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    // The time is monotonic: every condition with a time limit is made by
    // common/cond.h.
    return wait_for(cond, mutex,
                    (int64_t)until->tv_sec * 1000000 + until->tv_nsec / 1000);
}

static void wake(const pthread_cond_t *cond, bool all)
{
    struct thread *waiting[MAX_THREADS];
    size_t n = 0;

    for (int i = 0; i < machine.n_threads; i++)
        if (machine.threads[i]->cond == cond && !machine.threads[i]->signaled)
            waiting[n++] = machine.threads[i];
    if (n > 0 && !all)
        waiting[machine_below(n)]->signaled = true;
    for (size_t i = 0; i < n && all; i++)
        waiting[i]->signaled = true;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    wake(cond, false);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    wake(cond, true);
    return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    int64_t us = machine.now_us;

    if (id == CLOCK_REALTIME)
        us += machine.wall_us;
    out->tv_sec = (time_t)(us / 1000000);
    out->tv_nsec = (long)(us % 1000000) * 1000;
    return 0;
}
