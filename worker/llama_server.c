#include "worker/llama_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "common/descriptors.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"

enum {
    AGAIN_MS = 1000, // before it is started again, doubled up to
    AGAIN_MOST_MS = 5000,
    STEADY_MS = 60000, // after running this long, the pause is short again
    STOP_MS = 5000,    // between SIGTERM and SIGKILL
    LOOK_MS = 50,
    PATH_BYTES = 4096,
    NAME_BYTES = 200,
    NUMBER_MOST = 1 << 24,
    CHUNK_BYTES = 1 << 16,
    NOT_THERE = 127, // exit status of a child that finds no program
};

struct llama_server {
    char path[PATH_BYTES];
    char name[NAME_BYTES];
    char url[64];
    char digest[2 * crypto_hash_sha256_BYTES + 1];
    int slots, ctx, port;
    pid_t pid;        // 0: not running
    int64_t began_ms; // when it was last restarted; 0: never
    int64_t ended_ms, again_ms;
};

// --- the option ---

static bool refuse(const char *text, const char *why, struct err *err)
{
    err_set(err, ERR_INPUT,
            "--llama-server cannot be `%.80s`: %s; it takes "
            "MODEL.gguf[,slots=N][,ctx=N][,name=NAME]",
            text, why);
    return false;
}

static bool read_number(const char *text, int most, int *out)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);

    *out = (int)value;
    return end != text && *end == '\0' && value >= 1 && value <= most;
}

static bool read_word(struct llama_server *server, const char *word)
{
    if (strncmp(word, "slots=", 6) == 0)
        return read_number(word + 6, 1024, &server->slots);
    if (strncmp(word, "ctx=", 4) == 0)
        return read_number(word + 4, NUMBER_MOST, &server->ctx);
    if (strncmp(word, "name=", 5) == 0 && word[5] != '\0' &&
        strlen(word + 5) < sizeof server->name) {
        (void)text_print(server->name, sizeof server->name, "%s", word + 5);
        return true;
    }
    return false;
}

// Sets the name to that of the file, without its folder and extension.
static void name_by_file(struct llama_server *server)
{
    const char *slash = strrchr(server->path, '/');
    const char *base = slash == NULL ? server->path : slash + 1;
    size_t len = strlen(base);

    if (len > 5 && strcmp(base + len - 5, ".gguf") == 0)
        len -= 5;
    (void)text_print(server->name, sizeof server->name, "%.*s",
                     (int)(len < NAME_BYTES ? len : NAME_BYTES - 1), base);
}

static bool parse(struct llama_server *server, const char *text,
                  struct err *err)
{
    char words[PATH_BYTES];
    char *rest = NULL;
    const char *word;

    if (strlen(text) >= sizeof words)
        return refuse("...", "it is too long", err);
    memcpy(words, text, strlen(text) + 1);
    word = strtok_r(words, ",", &rest);
    if (word == NULL)
        return refuse(text, "it names no file", err);
    (void)text_print(server->path, sizeof server->path, "%s", word);
    name_by_file(server);
    while ((word = strtok_r(NULL, ",", &rest)) != NULL)
        if (!read_word(server, word))
            return refuse(text, "it has an unknown part", err);
    return true;
}

static bool read_digest(struct llama_server *server, struct err *err)
{
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];
    static unsigned char chunk[CHUNK_BYTES];
    int fd = open(server->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 1;

    (void)crypto_hash_sha256_init(&state);
    while (got > 0) {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            (void)crypto_hash_sha256_update(&state, chunk,
                                            (unsigned long long)got);
    }
    if (got < 0)
        err_set(err, ERR_INPUT, "cannot read the model %s: %s",
                FILE_SHOWN(server->path, 150), strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    (void)crypto_hash_sha256_final(&state, hash);
    (void)sodium_bin2hex(server->digest, sizeof server->digest, hash,
                         sizeof hash);
    return got == 0;
}

// --- the program ---

// Returns a port that is free now. If another program takes it before ours
// does, ours ends at once and is started again on it, until it is free.
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        port = ntohs(address.sin_port);
    if (fd >= 0)
        (void)close(fd);
    return port;
}

// Runs in the child, so it calls only what is allowed between fork and exec.
static void become(char *const words[], pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    descriptors_close_on_exec();
    if (getppid() == parent)
        (void)execvp(words[0], words);
    _exit(NOT_THERE);
}

static bool spawn(struct llama_server *server, struct err *err)
{
    char port[16], slots[16], ctx[24], counted[TEXT_COUNTED_BYTES];
    char *const words[] = {
        "llama-server", "--model",    server->path, "--alias", server->name,
        "--host",       "127.0.0.1",  "--port",     port,      "--parallel",
        slots,          "--ctx-size", ctx,          "--jinja", NULL};
    pid_t parent = getpid();

    (void)snprintf(port, sizeof port, "%d", server->port);
    (void)snprintf(slots, sizeof slots, "%d", server->slots);
    (void)snprintf(ctx, sizeof ctx, "%lld",
                   (long long)server->ctx * server->slots);
    server->pid = fork();
    if (server->pid == 0)
        become(words, parent);
    if (server->pid > 0) {
        log_info("llama-server", "%s serves %s with %s", server->url,
                 server->name, text_counted(counted, server->slots, "slot"));
        return true;
    }
    server->pid = 0;
    err_set(err, ERR_IO, "cannot start llama-server: %s", strerror(errno));
    return false;
}

static bool is_in_path(struct err *err)
{
    const char *path = getenv("PATH");
    char at[PATH_BYTES];

    for (path = path == NULL ? "" : path; *path != '\0';) {
        int len = (int)strcspn(path, ":");

        (void)text_print(at, sizeof at, "%.*s/llama-server", len, path);
        if (access(at, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    err_set(err, ERR_INPUT,
            "llama-server is not in PATH: install llama.cpp, or name a running "
            "server with --openai");
    return false;
}

struct llama_server *llama_server_start(const char *text, struct err *err)
{
    struct llama_server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        err_nomem(err, "a model server");
        return NULL;
    }
    server->slots = LLAMA_SERVER_SLOTS;
    server->ctx = LLAMA_SERVER_CTX;
    server->again_ms = AGAIN_MS;
    server->port = free_port();
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d",
                   server->port);
    if (parse(server, text, err) && is_in_path(err) &&
        read_digest(server, err) && spawn(server, err))
        return server;
    free(server);
    return NULL;
}

const char *llama_server_url(const struct llama_server *server)
{
    return server->url;
}

const char *llama_server_digest(const struct llama_server *server)
{
    return server->digest;
}

int llama_server_slots(const struct llama_server *server)
{
    return server->slots;
}

void llama_server_tend(struct llama_server *server, int64_t now_ms)
{
    struct err err = ERR_CLEAR;
    int status = 0;

    if (server->pid > 0 && waitpid(server->pid, &status, WNOHANG) > 0) {
        server->pid = 0;
        server->ended_ms = now_ms;
        if (now_ms - server->began_ms >= STEADY_MS)
            server->again_ms = AGAIN_MS;
        log_warn("llama-server",
                 "the server for %s has ended (%d); it is restarted in %lld s",
                 server->name,
                 WIFEXITED(status) ? WEXITSTATUS(status)
                                   : 128 + WTERMSIG(status),
                 (long long)server->again_ms / 1000);
    }
    if (server->pid > 0 || now_ms - server->ended_ms < server->again_ms)
        return;
    server->ended_ms = server->began_ms = now_ms;
    server->again_ms *= 2;
    if (server->again_ms > AGAIN_MOST_MS)
        server->again_ms = AGAIN_MOST_MS;
    if (!spawn(server, &err))
        log_error("llama-server", "%s", err.text);
}

void llama_server_stop(struct llama_server *server)
{
    if (server == NULL)
        return;
    if (server->pid > 0) {
        (void)kill(server->pid, SIGTERM);
        for (int waited = 0; waited < STOP_MS; waited += LOOK_MS) {
            if (waitpid(server->pid, NULL, WNOHANG) != 0)
                server->pid = 0;
            if (server->pid == 0)
                break;
            (void)poll(NULL, 0, LOOK_MS);
        }
    }
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
    }
    free(server);
}
