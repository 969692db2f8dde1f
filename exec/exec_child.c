#include "exec/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/descriptors.h"
#include "common/file.h"
#include "exec/exec_guard.h"

enum { PATIENCE_MS = 200, PAUSE_MS = 5, LOWEST_FD = 3, FD_COUNT = 10 };

// Guards a start. Between pipe and the flag that closes an end on exec, another
// thread's fork could inherit that end, and its reader would never see the end
// of the file.
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

void exec_child_init(struct exec_child *child, size_t max_bytes)
{
    *child = (struct exec_child){.in = -1,
                                 .out = -1,
                                 .errors = -1,
                                 .hold = -1,
                                 .answer = BUF_INIT(max_bytes)};
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

// Starting. There are five pipes: the three streams; one that carries the errno
// of an exec that failed, and that an exec closes if it succeeds; and the
// guard's, which nobody writes to: only its closing matters.

enum { IN, OUT, ERRORS, STATUS, HOLD };

struct pipes {
    int ends[FD_COUNT]; // read and write end of each
};

static int *read_end(struct pipes *pipes, int which)
{
    return &pipes->ends[2 * which];
}

static int *write_end(struct pipes *pipes, int which)
{
    return &pipes->ends[2 * which + 1];
}

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < FD_COUNT; i++)
        close_fd(&pipes->ends[i]);
}

// Moves a descriptor off the numbers of the standard streams, and makes exec
// close it.
static bool raise_fd(int *fd)
{
    int raised = fcntl(*fd, F_DUPFD_CLOEXEC, LOWEST_FD);

    close_fd(fd);
    *fd = raised;
    return raised >= 0;
}

static bool open_pipes(struct pipes *pipes)
{
    for (int i = 0; i < FD_COUNT; i++)
        pipes->ends[i] = -1;
    for (int i = 0; i < FD_COUNT; i += 2) {
        int pair[2] = {-1, -1};
        if (pipe(pair) != 0)
            return false;
        pipes->ends[i] = pair[0];
        pipes->ends[i + 1] = pair[1];
        if (!raise_fd(&pipes->ends[i]) || !raise_fd(&pipes->ends[i + 1]))
            return false;
    }
    return true;
}

// What to run, for the child between fork and exec.
struct beginning {
    struct pipes *pipes;
    const char *path;
    const char *const *argv;
    const char *folder;
};

// Turns the child into the program. Runs between fork and exec, so it uses only
// what is safe in a signal handler.
static void become(void *user)
{
    static const int reset[] = {SIGPIPE, SIGINT,  SIGTERM, SIGHUP,
                                SIGCHLD, SIGQUIT, SIGTSTP, SIGXFSZ};
    struct beginning *beginning = user;
    struct pipes *pipes = beginning->pipes;
    sigset_t none;

    (void)setpgid(0, 0);
    for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++)
        (void)signal(reset[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    descriptors_close_on_exec();
    if (dup2(*read_end(pipes, IN), 0) >= 0 &&
        dup2(*write_end(pipes, OUT), 1) >= 0 &&
        dup2(*write_end(pipes, ERRORS), 2) >= 0 &&
        chdir(beginning->folder) == 0)
        (void)execv(beginning->path, (char *const *)beginning->argv);

    int why = errno;
    (void)!write(*write_end(pipes, STATUS), &why, sizeof why);
    _exit(127);
}

// Waits until the child has become the program. Returns 0, or the errno of why
// it has not.
static int read_status(int fd)
{
    int why = 0;
    ssize_t got = 0;

    do {
        got = read(fd, &why, sizeof why);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof why ? why : 0;
}

static void keep_streams(struct exec_child *child, struct pipes *pipes)
{
    child->in = *write_end(pipes, IN);
    child->out = *read_end(pipes, OUT);
    child->errors = *read_end(pipes, ERRORS);
    child->hold = *write_end(pipes, HOLD);
    *write_end(pipes, IN) = -1;
    *read_end(pipes, OUT) = -1;
    *read_end(pipes, ERRORS) = -1;
    *write_end(pipes, HOLD) = -1;
    (void)fcntl(child->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(child->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(child->errors, F_SETFL, O_NONBLOCK);
}

// What the system may lack, and the remedy.
static const struct lack {
    int why;
    const char *remedy;
} lacks[] = {
    {EAGAIN, "; raise the limit on processes (`ulimit -u`)"},
    {EMFILE, "; raise the limit on open files (`ulimit -n`)"},
    {ENFILE, "; raise the system's limit on open files"},
    {ENOMEM, "; free some memory"},
};

static void explain_start(const char *path, int why, struct err *err)
{
    enum err_code code = ERR_FAULT;
    const char *remedy = "";

    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        if (lacks[i].why != why)
            continue;
        code = ERR_LIMIT;
        remedy = lacks[i].remedy;
    }
    err_set(err, code, "`%s` could not be started: %s%s", FILE_SHOWN(path, 80),
            strerror(why), remedy);
}

bool exec_child_start(struct exec_child *child, const char *path,
                      const char *const *argv, const char *folder,
                      struct err *err)
{
    struct pipes pipes;
    struct beginning beginning = {&pipes, path, argv, folder};
    pid_t pid = -1;
    int why = 0;

    buf_clear(&child->answer);
    child->tail_len = 0;
    child->tail[0] = '\0';
    (void)pthread_mutex_lock(&starting);
    if (open_pipes(&pipes))
        pid = fork();
    why = errno;
    if (pid == 0) {
        // Or the guard would hold open the pipe that tells it of our end.
        close_fd(write_end(&pipes, HOLD));
        exec_guard_run(*read_end(&pipes, HOLD), *write_end(&pipes, STATUS),
                       become, &beginning);
    }
    (void)pthread_mutex_unlock(&starting);
    if (pid > 0) {
        close_fd(write_end(&pipes, STATUS));
        why = read_status(*read_end(&pipes, STATUS));
        if (why != 0)
            (void)waitpid(pid, NULL, 0);
    }
    if (pid < 0 || why != 0) {
        explain_start(path, why, err);
        close_pipes(&pipes);
        return false;
    }
    keep_streams(child, &pipes);
    close_pipes(&pipes);
    child->pid = pid;
    return true;
}

// Talking.

bool exec_child_write(struct exec_child *child, const char *data, size_t len,
                      size_t *written)
{
    while (*written < len) {
        ssize_t got = write(child->in, data + *written, len - *written);
        if (got >= 0)
            *written += (size_t)got;
        else if (errno != EINTR)
            return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    return true;
}

void exec_child_end_input(struct exec_child *child)
{
    close_fd(&child->in);
}

// Keeps the last EXEC_TAIL_BYTES.
static void keep_tail(struct exec_child *child, const char *data, size_t len)
{
    size_t over = 0;

    if (len > EXEC_TAIL_BYTES) {
        data += len - EXEC_TAIL_BYTES;
        len = EXEC_TAIL_BYTES;
    }
    if (child->tail_len + len > EXEC_TAIL_BYTES)
        over = child->tail_len + len - EXEC_TAIL_BYTES;
    memmove(child->tail, child->tail + over, child->tail_len - over);
    memcpy(child->tail + child->tail_len - over, data, len);
    child->tail_len += len - over;
    child->tail[child->tail_len] = '\0';
}

// Reads a limited amount, so that a flood does not hold us up: the rest comes
// next time.
static void read_errors(struct exec_child *child)
{
    char piece[EXEC_TAIL_BYTES];

    for (int i = 0; i < 64 && child->errors >= 0; i++) {
        ssize_t got = read(child->errors, piece, sizeof piece);
        if (got > 0)
            keep_tail(child, piece, (size_t)got);
        else if (got == 0)
            close_fd(&child->errors);
        else if (errno != EINTR)
            return;
    }
}

enum exec_reading exec_child_read(struct exec_child *child)
{
    char piece[16384];

    read_errors(child);
    for (;;) {
        ssize_t got = read(child->out, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? EXEC_READ_OPEN
                                                           : EXEC_READ_ENDED;
        if (got == 0)
            return EXEC_READ_ENDED;
        buf_append(&child->answer, piece, (size_t)got);
        if (child->answer.failed)
            return EXEC_READ_TOO_LONG;
    }
}

// Ending.

// Returns true once the guard has ended, and with it everything it guarded.
static bool is_dead(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid;
}

static void wait_patiently(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    for (int i = 0; i < PATIENCE_MS / PAUSE_MS && !is_dead(pid); i++)
        (void)nanosleep(&pause, NULL);
}

static void say_end(int status, bool by_itself, char how[EXEC_END_BYTES])
{
    if (!by_itself)
        (void)snprintf(how, EXEC_END_BYTES, "closed its standard output");
    else if (WIFSIGNALED(status))
        (void)snprintf(how, EXEC_END_BYTES, "was killed by signal %d",
                       WTERMSIG(status));
    else
        (void)snprintf(how, EXEC_END_BYTES, "exited with status %d",
                       WEXITSTATUS(status));
}

bool exec_child_end(struct exec_child *child, enum exec_patience patience,
                    char how[EXEC_END_BYTES])
{
    int status = 0;
    pid_t got = 0;

    how[0] = '\0';
    if (child->pid == 0)
        return false;
    close_fd(&child->in);
    if (patience == EXEC_END_PATIENTLY)
        wait_patiently(child->pid);
    bool by_itself = is_dead(child->pid);
    close_fd(&child->hold); // the guard kills what is left
    do {
        got = waitpid(child->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    say_end(status, by_itself, how);
    read_errors(child);
    close_fd(&child->out);
    close_fd(&child->errors);
    child->pid = 0;
    return by_itself && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
