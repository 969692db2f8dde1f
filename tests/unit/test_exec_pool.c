#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "exec/exec_pool.h"
#include "program/metric/metric.h"

// The commands are small shell scripts, each an argument of sh -c.
static struct exec_command commands[2];
static const char *words[2][4];
static struct exec_pool *pool;
static struct exec_done done;
static struct err err;

static void close_pool(void)
{
    exec_done_release(&done);
    exec_pool_stop(pool);
}

static void set_script(int which, const char *script, int64_t timeout_ms)
{
    words[which][0] = "sh";
    words[which][1] = "-c";
    words[which][2] = script;
    commands[which] = (struct exec_command){.argv = words[which],
                                            .timeout_ms = timeout_ms,
                                            .what = "the metric's command"};
}

static void start(size_t n_commands, const char *folder, int processes,
                  bool (*check)(const void *, const char *, size_t,
                                struct err *))
{
    const struct exec_pool_options options = {.commands = commands,
                                              .n_commands = n_commands,
                                              .folder = folder,
                                              .processes = processes};

    for (size_t i = 0; i < n_commands; i++)
        commands[i].check = check;
    err = ERR_CLEAR;
    pool = exec_pool_start(&options, &err);
}

// Checks a score as the coordinator does for a metric.
static bool is_score(const void *of, const char *text, size_t len,
                     struct err *why)
{
    struct score score = {0};
    bool ok = score_read(text, len, &score, why);

    (void)of;
    score_release(&score);
    return ok;
}

static void start_script(const char *script, int64_t timeout_ms)
{
    set_script(0, script, timeout_ms);
    start(1, "/", 1, is_score);
    cr_assert_not_null(pool, "%s", err.text);
}

static void begin(size_t command, uint64_t id, const char *line)
{
    cr_assert(exec_pool_begin(pool, command, id, line, strlen(line), &err),
              "%s", err.text);
}

// Waits for the next result, a minute at most.
static void take(void)
{
    struct pollfd fd = {.fd = exec_pool_fd(pool), .events = POLLIN};

    exec_done_release(&done);
    cr_assert_eq(poll(&fd, 1, 60000), 1, "nothing is done after 60 s");
    cr_assert(exec_pool_take(pool, &done));
}

static void ask(const char *line)
{
    begin(0, 1, line);
    take();
}

static void expect_answer(const char *text)
{
    cr_assert(done.ok, "%s", done.fault.text);
    cr_expect_str_eq(done.text, text);
}

static void expect_fault(const char *words_of_it)
{
    cr_assert_not(done.ok, "answered %s", done.text);
    cr_expect_eq(done.fault.code, ERR_FAULT);
    cr_expect(strstr(done.fault.text, words_of_it) != NULL, "%s",
              done.fault.text);
}

TestSuite(exec_pool, .fini = close_pool, .timeout = 300);

Test(exec_pool, a_line_is_answered_by_a_line)
{
    start_script("while read -r x; do echo \"$x\"; done", 60000);
    ask("{\"score\": 0.5}");
    expect_answer("{\"score\": 0.5}");
    cr_expect_eq(done.id, 1);
    cr_expect_not(exec_pool_take(pool, &done));
}

Test(exec_pool, one_child_answers_many_lines)
{
    char first[32];

    set_script(0, "while read -r x; do echo $$; done", 60000);
    start(1, "/", 4, NULL);
    ask("the first child of a command gets one line");
    ask("a");
    (void)snprintf(first, sizeof first, "%s", done.text);
    for (int i = 0; i < 20; i++) {
        ask("b");
        expect_answer(first);
    }
}

Test(exec_pool, many_requests_end_once_each)
{
    bool seen[500] = {false};

    set_script(0, "while read -r x; do echo $x; done", 60000);
    start(1, "/", 2, NULL);
    for (uint64_t id = 0; id < 500; id++)
        begin(0, id, "0");
    for (int i = 0; i < 500; i++) {
        take();
        expect_answer("0");
        cr_assert(done.id < 500 && !seen[done.id]);
        seen[done.id] = true;
    }
}

Test(exec_pool, requests_spread_over_the_processes)
{
    char first[32];

    set_script(0, "while read -r x; do sleep 2; echo $$; done", 60000);
    start(1, "/", 2, NULL);
    begin(0, 1, "a");
    begin(0, 2, "b");
    take();
    (void)snprintf(first, sizeof first, "%s", done.text);
    take();
    cr_expect_str_neq(done.text, first);
}

Test(exec_pool, each_command_has_its_own_children)
{
    set_script(0, "while read -r x; do echo first; done", 60000);
    set_script(1, "while read -r x; do echo second; done", 60000);
    start(2, "/", 1, NULL);
    begin(1, 7, "a");
    take();
    expect_answer("second");
    cr_expect_eq(done.id, 7);
    ask("a");
    expect_answer("first");
}

Test(exec_pool, a_child_that_exits_is_a_fault_with_its_status_and_errors)
{
    start_script("read -r x; echo first >&2; echo 'no field intent' >&2; "
                 "exit 3",
                 60000);
    ask("a");
    expect_fault("exited with status 3 before it answered; its standard error "
                 "ends: no field intent");
    cr_expect_str_eq(done.errors, "first\nno field intent\n");
}

Test(exec_pool, a_child_that_is_killed_is_a_fault_with_its_signal)
{
    start_script("read -r x; kill -9 $$", 60000);
    ask("a");
    expect_fault("was killed by signal 9");
}

Test(exec_pool, a_child_that_never_reads_is_a_fault)
{
    start_script("exit 0", 60000);
    ask("a");
    expect_fault("exited with status 0 before it answered");
}

// Returns false for a zombie too, since init reaps it at any time.
static bool is_running(pid_t pid)
{
    char path[64];
    char state = 'Z';

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool known = fscanf(file, "%*d %*s %c", &state) == 1;
    (void)fclose(file);
    return known && state != 'Z' && state != 'X';
}

// The script starts a process, writes its id to standard error, and hangs.
static void expect_killed(const char *script)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000000L};

    pid_t sleeper = 0;

    // On a slow machine it takes longer until the script has begun.
    for (int64_t ms = 300; ms <= 30000 && sleeper <= 1; ms *= 10) {
        close_pool();
        start_script(script, ms);
        ask("a");
        expect_fault("did not answer within ");
        sleeper = (pid_t)atoi(done.errors);
    }
    cr_assert(sleeper > 1, "%s", done.errors);
    for (int i = 0; i < 1000 && is_running(sleeper); i++)
        (void)nanosleep(&pause, NULL);
    cr_expect_not(is_running(sleeper));
}

Test(exec_pool, a_child_that_hangs_is_killed_with_what_it_started)
{
    expect_killed("read -r x; sleep 100 & echo $! >&2; wait");
}

Test(exec_pool, orphan_that_left_the_process_group_is_killed_as_well)
{
    expect_killed("read -r x; (setsid sleep 100 & echo $! >&2); sleep 100");
}

Test(exec_pool, nonsense_is_a_fault_and_the_next_request_is_served)
{
    start_script("while read -r x; do if [ $x = bad ]; then echo well; else "
                 "echo 1; fi; done",
                 60000);
    ask("bad");
    expect_fault("the metric answered `well`");
    ask("good");
    expect_answer("1");
}

Test(exec_pool, a_score_out_of_range_is_a_fault)
{
    start_script("while read -r x; do echo 1.01; done", 60000);
    ask("a");
    expect_fault("the metric answered `1.01`");
}

Test(exec_pool, an_answer_of_two_lines_is_a_fault)
{
    start_script("while read -r x; do printf '1\\n0\\n'; done", 60000);
    ask("a");
    expect_fault("answered with more than one line");
}

// The child writes the line once its answer is taken and the pipe has no name
// any more. It holds the pipe open, so the pipe's end shows that the pool has
// seen the line and ended the child.
Test(exec_pool, unsolicited_line_is_a_fault_of_the_next_request)
{
    char path[64], text[320];
    struct pollfd held = {.fd = -1};

    (void)snprintf(path, sizeof path, "/tmp/exec_pool_pipe_%d", (int)getpid());
    (void)snprintf(text, sizeof text,
                   "while read -r x; do [ $x = a ] || exec 9>%s; echo 1; "
                   "[ $x = a ] || { while [ -p %s ]; do sleep 0.01; done; "
                   "echo 0; sleep 100; }; done",
                   path, path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    held.fd = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert(held.fd >= 0);
    start_script(text, 60000);
    ask("a");
    ask("b");
    expect_answer("1");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(poll(&held, 1, 20000), 1, "the child still runs after 20 s");
    (void)close(held.fd);
    ask("b");
    expect_fault("wrote a line that it was not asked for");
}

// Otherwise each request would get the answer to the one before it.
Test(exec_pool, a_line_before_the_first_request_is_a_fault_of_each)
{
    start_script("echo 1; while read -r l; do sleep 0.1; echo 0.5; done",
                 60000);
    ask("x");
    expect_fault("more than one line");
    ask("x");
    expect_fault("more than one line");
}

Test(exec_pool, line_printed_at_exit_is_not_an_answer)
{
    start_script("while read -r l; do echo 0.5; done; echo all done", 60000);
    ask("x");
    expect_answer("0.5");
    ask("x");
    expect_answer("0.5");
}

Test(exec_pool, a_first_child_that_does_not_end_is_waited_for_a_while)
{
    start_script("while read -r l; do echo 0.5; done; exec sleep 100", 60000);
    int64_t from = clock_monotonic_ms();
    ask("x");
    expect_answer("0.5");
    ask("x");
    expect_answer("0.5");
    cr_expect_lt(clock_monotonic_ms() - from, 50000);
}

// Such a child answers from another thread, for example.
Test(exec_pool, child_that_aborts_at_end_of_input_still_serves)
{
    start_script("while read -r l; do timeout 0.2 cat >&2; "
                 "[ $? = 124 ] || exit 0; echo 0.5; done",
                 60000);
    ask("x");
    expect_answer("0.5");
    ask("x");
    expect_answer("0.5");
}

Test(exec_pool, endless_line_is_a_fault)
{
    start_script("read -r x; head -c 3000000 /dev/zero | tr '\\0' a; sleep 100",
                 60000);
    ask("a");
    expect_fault("answered with a line over 1048576 bytes");
}

Test(exec_pool, a_child_that_ends_after_each_answer_still_serves)
{
    start_script("read -r x; echo 1", 60000);
    for (int i = 0; i < 50; i++) {
        ask("a");
        expect_answer("1");
    }
}

Test(exec_pool, only_the_end_of_standard_error_is_kept)
{
    start_script("read -r x; head -c 100000 /dev/zero | tr '\\0' x >&2; "
                 "echo last >&2; exit 1",
                 60000);
    ask("a");
    expect_fault("exited with status 1");
    cr_expect_eq(strlen(done.errors), 4096);
    cr_expect_str_eq(done.errors + 4096 - 6, "xlast\n");
}

Test(exec_pool, a_request_larger_than_a_pipe_arrives_whole)
{
    size_t len = 3000000;
    char *line = calloc(1, len + 1);

    cr_assert_not_null(line);
    memset(line, 'a', len);
    set_script(0, "head -n 1 | wc -c", 20000);
    start(1, "/", 1, NULL);
    ask(line);
    cr_assert(done.ok, "%s", done.fault.text);
    cr_expect_eq(atoi(done.text), 3000001);
    free(line);
}

// The rest of the long line must not become part of the next one.
Test(exec_pool, a_child_that_answers_early_may_still_be_asked)
{
    size_t len = 300000;
    char *line = calloc(1, len + 1);

    cr_assert_not_null(line);
    memset(line, 'a', len);
    start_script("while head -c 1 | grep -q .; do echo 0.5; read -r x; done",
                 20000);
    for (int i = 0; i < 3; i++) {
        ask(i == 1 ? line : "a");
        expect_answer("0.5");
    }
    free(line);
}

Test(exec_pool, a_carriage_return_belongs_to_the_line_end)
{
    start_script("while read -r x; do printf '0.5\\r\\n'; done", 60000);
    ask("a");
    expect_answer("0.5");
}

Test(exec_pool, stop_kills_a_busy_child_at_once)
{
    start_script("read -r x; sleep 100", 60000);
    begin(0, 1, "a");
    int64_t before = clock_monotonic_ms();
    exec_pool_stop(pool);
    pool = NULL;
    cr_expect(clock_monotonic_ms() - before < 50000);
}

static const char script[] = "#!/bin/sh\nwhile read -r x; do pwd; done\n";

static void make_folder(char folder[64])
{
    (void)snprintf(folder, 64, "/tmp/exec_pool_XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(const char *folder)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/judge.sh", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void start_beside(const char *folder, mode_t mode)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/judge.sh", folder);
    cr_assert(file_write(path, script, sizeof script - 1, &err), "%s",
              err.text);
    cr_assert_eq(chmod(path, mode), 0);
    words[0][0] = "judge.sh";
    words[0][1] = NULL;
    commands[0] = (struct exec_command){
        .argv = words[0], .timeout_ms = 9000, .what = "the metric's command"};
    start(1, folder, 1, NULL);
}

Test(exec_pool, command_may_be_a_file_in_the_jobs_folder_and_runs_there)
{
    char folder[64];

    make_folder(folder);
    start_beside(folder, 0700);
    cr_assert_not_null(pool, "%s", err.text);
    ask("a");
    expect_answer(folder);
    remove_folder(folder);
}

Test(exec_pool, non_executable_file_is_reported_with_the_remedy)
{
    char folder[64];

    make_folder(folder);
    start_beside(folder, 0600);
    remove_folder(folder);
    cr_expect_null(pool);
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect(strstr(err.text, "run chmod +x") != NULL, "%s", err.text);
}

Test(exec_pool, missing_command_is_reported)
{
    words[0][0] = "no-such-program-anywhere";
    words[0][1] = NULL;
    commands[0] = (struct exec_command){
        .argv = words[0], .timeout_ms = 9000, .what = "the metric's command"};
    start(1, "/", 1, NULL);
    cr_expect_null(pool);
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect(strstr(err.text, "neither a file beside the job nor a program") !=
                  NULL,
              "%s", err.text);
}

// Makes a pool over an executable file with these bytes.
static void start_file(const char *bytes, size_t len)
{
    static char path[128];
    char folder[64];

    make_folder(folder);
    (void)snprintf(path, sizeof path, "%s/judge.sh", folder);
    cr_assert(file_write(path, bytes, len, &err), "%s", err.text);
    cr_assert_eq(chmod(path, 0700), 0);
    words[0][0] = path;
    words[0][1] = NULL;
    commands[0] = (struct exec_command){
        .argv = words[0], .timeout_ms = 9000, .what = "the metric's command"};
    start(1, "/", 2, NULL);
}

static void remove_file(void)
{
    char folder[128];

    (void)snprintf(folder, sizeof folder, "%s", words[0][0]);
    *strrchr(folder, '/') = '\0';
    remove_folder(folder);
}

Test(exec_pool, file_that_is_not_a_program_is_a_fault_of_every_request)
{
    enum { REQUESTS = 7 };

    start_file("\x7f"
               "ELF\0",
               5);
    cr_assert_not_null(pool, "%s", err.text);
    for (uint64_t i = 0; i < REQUESTS; i++)
        begin(0, i, "a");
    for (int i = 0; i < REQUESTS; i++) {
        take();
        expect_fault("could not be started");
    }
    remove_file();
}

Test(exec_pool, a_program_that_cannot_start_has_said_nothing)
{
    static const char text[] =
        "#!/bin/sh\necho 'something is odd' >&2\nread -r x\necho 0.5\n";

    start_file(text, sizeof text - 1);
    cr_assert_not_null(pool, "%s", err.text);
    ask("a");
    expect_answer("0.5");
    remove_file();
    ask("a");
    expect_fault("could not be started");
    cr_expect_null(strstr(done.fault.text, "odd"), "%s", done.fault.text);
    cr_expect_str_empty(done.errors);
}

Test(exec_pool, script_that_cannot_run_is_reported_at_the_start)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"#!/no/such/interpreter\n", "an interpreter that does not exist"},
        {"#!/usr/bin/env no-such-program\n",
         "an interpreter that does not exist"},
        {"#!/usr/bin/env sh\r\necho 1\r\n", "save it with LF"},
        {"import json\n", "write its interpreter before it"},
        {"#!/bin/sh\necho 1\n", NULL},
        {"#! /usr/bin/env -S sh -e\necho 1\n", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start_file(rows[i].text, strlen(rows[i].text));
        cr_expect_eq(pool == NULL, rows[i].words != NULL, "%s", rows[i].text);
        cr_expect(rows[i].words == NULL ||
                      strstr(err.text, rows[i].words) != NULL,
                  "%s", err.text);
        exec_pool_stop(pool);
        pool = NULL;
        remove_file();
    }
}

// A process without a parent may stay a zombie if nobody reaps it.
static bool is_alive(pid_t pid)
{
    char path[64];
    char state = 'Z';
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d %*s %c", &state) != 1)
        state = 'Z';
    (void)fclose(file);
    return state != 'Z';
}

// Reads "NUMBER\n" from a file that a program writes; waits 20 s at most.
static pid_t await_number(const char *path)
{
    long number = 0;

    for (int i = 0; i < 2000 && number == 0; i++) {
        FILE *file = fopen(path, "r");
        if (file != NULL && fscanf(file, "%ld\n", &number) != 1)
            number = 0;
        if (file != NULL)
            (void)fclose(file);
        (void)poll(NULL, 0, 10);
    }
    return (pid_t)number;
}

// The words before start a process; those after may close a bracket.
static void expect_dies_with_us(const char *before, const char *after)
{
    char folder_path[] = "/tmp/exec_pool_XXXXXX";
    char path[64];
    char text[200];

    cr_assert_not_null(mkdtemp(folder_path));
    (void)snprintf(path, sizeof path, "%s/pid", folder_path);
    (void)snprintf(text, sizeof text,
                   "%s echo $! > %s %s; while read line; do sleep 1; done",
                   before, path, after);
    pid_t we = fork();
    if (we == 0) {
        start_script(text, 60000);
        begin(0, 1, "{}");
        for (;;)
            (void)pause();
    }
    pid_t started = await_number(path);
    cr_assert_gt(started, 0);
    cr_expect(is_alive(started));
    cr_assert_eq(kill(we, SIGKILL), 0);
    (void)waitpid(we, NULL, 0);
    for (int i = 0; i < 2000 && is_alive(started); i++)
        (void)poll(NULL, 0, 10);
    cr_expect_not(is_alive(started));
    (void)unlink(path);
    (void)rmdir(folder_path);
}

Test(exec_pool, grandchildren_die_when_we_are_killed)
{
    expect_dies_with_us("sleep 1000 &", "");
}

Test(exec_pool, orphans_in_their_own_session_die_when_we_are_killed)
{
    expect_dies_with_us("(setsid sleep 1000 &", ")");
}

static void limit_files(rlim_t most)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Another program of the same user may use up the processes or descriptors, and
// end again. It is no fault of ours.
Test(exec_pool, program_that_the_system_has_no_room_for_now_starts_later)
{
    const struct timespec pause = {.tv_nsec = 300L * 1000 * 1000};

    start_script("while read -r line; do echo 1; done", 30000);
    limit_files(4);
    begin(0, 1, "a");
    (void)nanosleep(&pause, NULL);
    limit_files(RLIM_INFINITY);
    take();
    expect_answer("1");
}
