#include "store/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    WORDS_BYTES = 128,
    PROC_BYTES = 4096,
    FLAG_EXITING = 0x4, // Linux's PF_EXITING and PF_DUMPCORE
    FLAG_DUMPING = 0x200,
};

static void own_host(char *host, size_t size)
{
    memset(host, 0, size);
    if (gethostname(host, size - 1) != 0 || host[0] == '\0')
        (void)snprintf(host, size, "localhost");
}

// Reads the first line, leaving out anything but plain ASCII.
static void read_words(int fd, char words[WORDS_BYTES])
{
    ssize_t len = pread(fd, words, WORDS_BYTES - 1, 0);
    size_t kept = 0;

    for (ssize_t i = 0; i < len && words[i] != '\n'; i++) {
        if (words[i] >= ' ' && words[i] <= '~')
            words[kept++] = words[i];
    }
    words[kept] = '\0';
}

void holder_read(int fd, struct holder *holder)
{
    char words[WORDS_BYTES];

    *holder = (struct holder){.pid = 0};
    read_words(fd, words);
    if (sscanf(words, "%99s %ld", holder->host, &holder->pid) != 2 ||
        holder->pid <= 0)
        *holder = (struct holder){.pid = 0};
}

void holder_write(int fd)
{
    struct holder self = {.pid = (long)getpid()};
    char words[WORDS_BYTES];

    own_host(self.host, sizeof self.host);
    int len = snprintf(words, sizeof words, "%s %ld\n", self.host, self.pid);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, words, (size_t)len, 0) != len)
        errno = 0;
}

// Reads one of the kernel's files about a process.
static bool read_proc(long pid, const char *name, char text[PROC_BYTES])
{
    char path[64];
    int fd;
    ssize_t len;

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    len = read(fd, text, PROC_BYTES - 1);
    (void)close(fd);
    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

// The line is "PID (NAME) STATE PARENT GROUP SESSION TERMINAL FOREGROUND FLAGS
// ...", and the name may contain anything.
static bool exits(const char *stat)
{
    const char *rest = strrchr(stat, ')');
    char state = 0;
    unsigned flags = 0;

    if (rest == NULL ||
        sscanf(rest, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
        return false;
    return state == 'Z' || state == 'X' ||
           (flags & (FLAG_EXITING | FLAG_DUMPING)) != 0;
}

// Looks for SIGKILL in "SigPnd:" (the first thread) or "ShdPnd:" (the process),
// which are hexadecimal.
static bool is_killed(const char *status, const char *which)
{
    const char *line = strstr(status, which);

    return line != NULL && (strtoull(line + strlen(which), NULL, 16) &
                            (1ULL << (SIGKILL - 1))) != 0;
}

bool holder_is_ending(const struct holder *holder)
{
    char host[sizeof holder->host];
    char text[PROC_BYTES];

    own_host(host, sizeof host);
    if (holder->host[0] == '\0')
        return true; // it is taking or releasing the lock right now
    if (strcmp(holder->host, host) != 0)
        return false;
    if (kill((pid_t)holder->pid, 0) != 0 && errno == ESRCH)
        return true;
    return (read_proc(holder->pid, "stat", text) && exits(text)) ||
           (read_proc(holder->pid, "status", text) &&
            (is_killed(text, "\nSigPnd:") || is_killed(text, "\nShdPnd:")));
}
