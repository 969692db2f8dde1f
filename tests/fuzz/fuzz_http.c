// Whatever the bytes are, the coordinator's page answers in HTTP or closes, and
// never with a failure of its own (500). Its questions to the coordinator are
// echoed back as answers.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "store/store.h"
#include "talk.h"
#include "web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *open_session(void *user, struct err *err)
{
    (void)err;
    return user;
}

static json_t *echo(void *session, const char *verb, const char *job,
                    const char *argument, int64_t patience_ms, struct err *err)
{
    (void)session, (void)patience_ms;
    if (strcmp(job, "gone") == 0) {
        err_set(err, ERR_INPUT, "there is no job `%s`", job);
        return NULL;
    }
    return json_pack("{s:s,s:s,s:s}", "verb", verb, "job", job, "argument",
                     argument);
}

static void close_session(void *session)
{
    (void)session;
}

static char folder[] = "/tmp/fuzz-http-XXXXXX";

static void remove_folder(void)
{
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/s.db%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static struct web *start(void)
{
    static char path[64];
    static int user;
    struct web_options options = {
        .store = path, .commands = {&user, open_session, echo, close_session}};
    struct err err = ERR_CLEAR;

    log_set_level(LOG_SILENT);
    if (mkdtemp(folder) == NULL)
        abort();
    (void)atexit(remove_folder);
    (void)snprintf(path, sizeof path, "%s/s.db", folder);
    struct store *store = store_open(path, &err);
    store_close(store);
    struct web *web = NULL;
    if (store != NULL &&
        http_address_read("127.0.0.1:0", &options.address, &err))
        web = web_start(&options, &err);
    if (web == NULL)
        abort();
    return web;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct web *web;

    if (web == NULL)
        web = start();
    if (talk(strstr(web_url(web), "127."), data, size) == 500)
        abort();
    return 0;
}
