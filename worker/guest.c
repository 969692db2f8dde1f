#include "worker/guest.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/text.h"

enum {
    DAY_MINUTES = 24 * 60,
    TABLE_BYTES = 8 << 20, // for the kernel's list of connections
    OUR_SOCKETS = 4096,
    ESTABLISHED = 1, // the number of this state in /proc/net/tcp
};

// --- hours ---

// Reads "20" or "20:30", which must end at `end`. Returns -1 if it is neither.
static int read_minute(const char *text, const char *end)
{
    char *at = NULL;
    long hour = strtol(text, &at, 10);
    long minute = 0;

    if (at == text || text[0] < '0' || text[0] > '9')
        return -1;
    if (*at == ':') {
        const char *from = at + 1;

        if (from[0] < '0' || from[0] > '9')
            return -1;
        minute = strtol(from, &at, 10);
    }
    if (at != end || hour > 24 || minute > 59 || (hour == 24 && minute > 0))
        return -1;
    return (int)(hour * 60 + minute) % DAY_MINUTES;
}

bool guest_hours_parse(const char *text, struct guest_hours *out,
                       struct err *err)
{
    const char *dash = strchr(text, '-');

    if (dash != NULL) {
        out->from = read_minute(text, dash);
        out->to = read_minute(dash + 1, dash + strlen(dash));
        if (out->from >= 0 && out->to >= 0)
            return true;
    }
    err_set(err, ERR_INPUT,
            "--hours cannot be `%.40s`: it takes two times of day, such as "
            "20-08 or 18:30-7",
            text);
    return false;
}

bool guest_hours_include(const struct guest_hours *hours, int minute)
{
    if (hours->from == hours->to)
        return true;
    if (hours->from < hours->to)
        return minute >= hours->from && minute < hours->to;
    return minute >= hours->from || minute < hours->to;
}

static int minute_of_day(void)
{
    time_t now = time(NULL);
    struct tm local;

    if (localtime_r(&now, &local) == NULL)
        return 0;
    return local.tm_hour * 60 + local.tm_min;
}

// --- who else is connected ---

// A line of /proc/net/tcp: both ends, the state, and the socket's inode.
struct line {
    unsigned local, remote, state;
    uint64_t inode;
};

// Returns the start of the next word, or NULL at the end of the line.
static const char *next_word(const char *at)
{
    at += strcspn(at, " \n");
    at += strspn(at, " ");
    return *at == '\n' || *at == '\0' ? NULL : at;
}

static unsigned port_in(const char *word)
{
    const char *colon = strchr(word, ':');

    return colon == NULL ? 0 : (unsigned)strtoul(colon + 1, NULL, 16);
}

static bool read_line(const char *text, struct line *out)
{
    // number, local, remote, state, queues, timer, retransmits, user, timeout
    enum { LOCAL = 1, REMOTE, STATE, INODE = 9 };
    const char *words[INODE + 1];
    const char *at = text + strspn(text, " ");

    for (size_t i = 0; i <= INODE; i++) {
        if (at == NULL || *at == '\0')
            return false;
        words[i] = at;
        at = next_word(at);
    }
    *out = (struct line){.local = port_in(words[LOCAL]),
                         .remote = port_in(words[REMOTE]),
                         .state = (unsigned)strtoul(words[STATE], NULL, 16),
                         .inode = strtoull(words[INODE], NULL, 10)};
    return words[0][0] >= '0' && words[0][0] <= '9';
}

static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');

    return end == NULL || end[1] == '\0' ? NULL : end + 1;
}

// Returns true if the other end of the connection, which has that port, is one
// of our sockets.
static bool has_our_end(const char *lines, unsigned port, unsigned server,
                        bool (*is_ours)(void *, uint64_t), void *user)
{
    struct line line;

    for (const char *at = lines; at != NULL; at = next_line(at))
        if (read_line(at, &line) && line.local == port &&
            line.remote == server && is_ours(user, line.inode))
            return true;
    return false;
}

size_t guest_count_others(const char *lines, int port,
                          bool (*is_ours)(void *user, uint64_t inode),
                          void *user)
{
    struct line line;
    size_t n = 0;

    for (const char *at = lines; at != NULL; at = next_line(at))
        if (read_line(at, &line) && line.local == (unsigned)port &&
            line.state == ESTABLISHED &&
            !has_our_end(lines, line.remote, (unsigned)port, is_ours, user))
            n++;
    return n;
}

struct our_sockets {
    uint64_t inodes[OUR_SOCKETS];
    size_t n;
};

static bool is_our_socket(void *user, uint64_t inode)
{
    const struct our_sockets *ours = user;

    for (size_t i = 0; i < ours->n; i++)
        if (ours->inodes[i] == inode)
            return true;
    return false;
}

static void list_our_sockets(struct our_sockets *out)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir != NULL && out->n < OUR_SOCKETS &&
           (entry = readdir(dir)) != NULL) {
        char target[64];
        ssize_t len =
            readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

        if (len <= 0)
            continue;
        target[len] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &out->inodes[out->n]) == 1)
            out->n++;
    }
    if (dir != NULL)
        (void)closedir(dir);
}

// Appends the file, whose size the kernel does not tell.
static void read_table(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "re");
    char chunk[8192];
    size_t got;

    while (file != NULL && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(out, chunk, got);
    if (file != NULL)
        (void)fclose(file);
}

// A server that listens for both families has its ends of IPv4 connections in
// the table of IPv6, so the tables are read as one.
static size_t count_others(int port)
{
    struct our_sockets ours = {.n = 0};
    struct buf lines = BUF_INIT(TABLE_BYTES);
    size_t n = 0;

    list_our_sockets(&ours);
    read_table("/proc/net/tcp", &lines);
    read_table("/proc/net/tcp6", &lines);
    buf_putc(&lines, '\0');
    if (!lines.failed)
        n = guest_count_others(lines.data, port, is_our_socket, &ours);
    buf_release(&lines);
    return n;
}

// --- all together ---

// Returns the load average of the last minute, or 0 if the kernel does not say.
static double load_average(void)
{
    FILE *file = fopen("/proc/loadavg", "re");
    double load = 0;

    if (file != NULL && fscanf(file, "%lf", &load) != 1)
        load = 0;
    if (file != NULL)
        (void)fclose(file);
    return load;
}

static void look_for_others(struct guest *guest)
{
    double load = load_average();
    double most = guest->most_load > 0 ? (double)guest->most_load
                                       : (double)sysconf(_SC_NPROCESSORS_ONLN);
    size_t others = guest->port > 0 ? count_others(guest->port) : 0;
    char counted[TEXT_COUNTED_BYTES];

    if (others > 0)
        (void)text_print(guest->why, sizeof guest->why,
                         "others have %s to its model server",
                         text_counted(counted, (int64_t)others, "connection"));
    else if (load > most)
        (void)text_print(guest->why, sizeof guest->why,
                         "the load average is %.1f, above %.0f", load, most);
}

const char *guest_refusal(struct guest *guest, int64_t now_ms)
{
    if (guest->looked && now_ms - guest->looked_ms < GUEST_LOOK_MS)
        return guest->why[0] == '\0' ? NULL : guest->why;
    guest->looked = true;
    guest->looked_ms = now_ms;
    guest->why[0] = '\0';
    if (guest->has_hours &&
        !guest_hours_include(&guest->hours, minute_of_day()))
        (void)text_print(guest->why, sizeof guest->why,
                         "it works from %02d:%02d to %02d:%02d",
                         guest->hours.from / 60, guest->hours.from % 60,
                         guest->hours.to / 60, guest->hours.to % 60);
    else if (guest->yields)
        look_for_others(guest);
    return guest->why[0] == '\0' ? NULL : guest->why;
}
