#include "stage.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/json.h"
#include "scratch.h"

enum { DEADLINE_MS = 60000, BEAT_MS = 500, HALT_MS = 300 };

void stage_open(struct stage *stage)
{
    *stage =
        (struct stage){.zmq = zmq_ctx_new(), .options = COORDINATOR_DEFAULTS};
    cr_assert_not_null(
        scratch_make("stage", stage->folder, sizeof stage->folder));
    stage->options.call_timeout_ms = 60000;
}

void stage_start(struct stage *stage)
{
    char store[128];
    struct err err = ERR_CLEAR;

    snprintf(store, sizeof store, "%s/store.db", stage->folder);
    snprintf(stage->endpoint, sizeof stage->endpoint, "inproc://stage-%d",
             stage->starts++);
    stage->options.store = store;
    stage->options.listen = stage->endpoint;
    stage->coordinator = coordinator_start(stage->zmq, &stage->options, &err);
    cr_assert_not_null(stage->coordinator, "%s", err.text);
}

void stage_stop(struct stage *stage)
{
    coordinator_stop(stage->coordinator);
    stage->coordinator = NULL;
}

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    char path[512];

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

static void leave_seat(struct seat *seat)
{
    if (seat->socket == NULL)
        return;
    wire_close(seat->socket);
    arena_release(&seat->arena);
    seat->socket = NULL;
}

void stage_close(struct stage *stage)
{
    for (int i = 0; i < STAGE_ACTORS; i++)
        leave_seat(&stage->seats[i]);
    stage_stop(stage);
    zmq_ctx_term(stage->zmq);
    remove_folder(stage->folder);
}

// --- actors ---

static struct seat *find_seat(struct stage *stage)
{
    int i = 0;

    while (i < STAGE_ACTORS && stage->seats[i].socket != NULL)
        i++;
    cr_assert_lt(i, STAGE_ACTORS, "too many actors for the stage");
    return &stage->seats[i];
}

void actor_enter(struct actor *actor, struct stage *stage, const char *name)
{
    struct wire_id id = {.len = (uint8_t)strlen(name)};
    struct seat *seat = find_seat(stage);
    struct err err = ERR_CLEAR;

    memcpy(id.bytes, name, id.len);
    seat->socket = wire_connect(stage->zmq, stage->endpoint, NULL, &id, &err);
    cr_assert_not_null(seat->socket, "%s", err.text);
    seat->arena = ARENA_INIT(1 << 28);
    *actor =
        (struct actor){.stage = stage, .seat = seat, .socket = seat->socket};
}

void actor_leave(struct actor *actor)
{
    leave_seat(actor->seat);
    actor->socket = NULL;
}

void actor_say(struct actor *actor, const struct message *message)
{
    struct err err = ERR_CLEAR;

    cr_assert(wire_send(actor->socket, NULL, message, &err), "%s", err.text);
}

void actor_hello(struct actor *actor, const struct hello *hello)
{
    actor_say(actor,
              &(struct message){.kind = MESSAGE_HELLO, .as.hello = *hello});
}

struct hello actor_worker_hello(const char *name, int64_t epoch, int64_t slots,
                                struct wire_model *model)
{
    return (struct hello){.version = WIRE_VERSION,
                          .role = PEER_WORKER,
                          .name = name,
                          .epoch = epoch,
                          .slots = slots,
                          .software = "test",
                          .backend = "ollama",
                          .server = "0.0.0",
                          .models = model,
                          .n_models = model == NULL ? 0 : 1};
}

void actor_greet_as_client(struct actor *actor, struct stage *stage,
                           const char *name)
{
    actor_enter(actor, stage, name);
    actor_hello(actor, &(struct hello){.version = WIRE_VERSION,
                                       .role = PEER_CLIENT,
                                       .name = name,
                                       .epoch = 1,
                                       .slots = 1});
    actor_await(actor, MESSAGE_WELCOME);
}

void actor_greet_as_worker(struct actor *actor, struct stage *stage,
                           const char *name, int64_t slots, const char *digest)
{
    struct wire_model model = {.name = STAGE_MODEL, .digest = digest};
    struct hello hello = actor_worker_hello(name, 1, slots, &model);

    actor_enter(actor, stage, name);
    actor_hello(actor, &hello);
    actor_await(actor, MESSAGE_WELCOME);
}

static void beat(struct actor *actor)
{
    int64_t now = clock_monotonic_ms();

    if (actor->silent || now - actor->beat_ms < BEAT_MS)
        return;
    actor->beat_ms = now;
    wire_send(actor->socket, NULL, &(struct message){.kind = MESSAGE_HEARTBEAT},
              NULL);
}

bool actor_hears(struct actor *actor, enum message_kind kind, int64_t ms)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    zmq_pollitem_t item = {.socket = wire_handle(actor->socket),
                           .events = ZMQ_POLLIN};

    for (;;) {
        struct err err = ERR_CLEAR;
        int64_t now = clock_monotonic_ms();

        arena_release(&actor->seat->arena);
        while (wire_receive(actor->socket, NULL, &actor->seat->arena,
                            &actor->message, &err) == WIRE_MESSAGE) {
            if (actor->message.kind == kind)
                return true;
            arena_release(&actor->seat->arena);
        }
        if (now >= deadline)
            return false;
        beat(actor);
        zmq_poll(&item, 1, 20);
        // The time in which all of us were halted does not count.
        if (clock_monotonic_ms() - now > HALT_MS)
            deadline += clock_monotonic_ms() - now;
    }
}

const struct message *actor_await(struct actor *actor, enum message_kind kind)
{
    bool heard = actor_hears(actor, kind, DEADLINE_MS);

    cr_assert(heard, "no %s came", message_kind_name(kind));
    return &actor->message;
}

// --- as a worker ---

int64_t actor_take_call(struct actor *actor)
{
    return actor_await(actor, MESSAGE_CALL)->as.call.id;
}

void actor_answer_counted(struct actor *actor, int64_t lease, const char *topic,
                          int32_t prompt_tokens, int32_t generated_tokens)
{
    struct message message = {.kind = MESSAGE_ANSWER};
    char text[200];

    snprintf(text, sizeof text,
             "[[ ## topic ## ]]\n%s\n\n[[ ## completed ## ]]\n", topic);
    message.as.answer = (struct answer_message){
        .id = lease,
        .answer = {.outcome = CALL_TEXT,
                   .text = text,
                   .text_len = strlen(text),
                   .prompt_tokens = prompt_tokens,
                   .cached_tokens = -1,
                   .generated_tokens = generated_tokens}};
    actor_say(actor, &message);
}

void actor_reply(struct actor *actor, int64_t lease, const char *text)
{
    struct message message = {.kind = MESSAGE_ANSWER};

    message.as.answer =
        (struct answer_message){.id = lease,
                                .answer = {.outcome = CALL_TEXT,
                                           .text = (char *)text,
                                           .text_len = strlen(text),
                                           .cached_tokens = -1}};
    actor_say(actor, &message);
}

void actor_answer(struct actor *actor, int64_t lease, const char *topic)
{
    actor_answer_counted(actor, lease, topic, 100, 10);
}

void actor_answer_next(struct actor *actor, const char *topic)
{
    actor_answer(actor, actor_take_call(actor), topic);
}

void actor_fault(struct actor *actor, int64_t lease, enum call_fault fault)
{
    actor_say(actor, &(struct message){.kind = MESSAGE_FAULT,
                                       .as.fault = {.id = lease,
                                                    .fault = fault,
                                                    .text = "as told"}});
}

void actor_goodbye(struct actor *actor, int64_t open)
{
    actor_say(actor, &(struct message){.kind = MESSAGE_GOODBYE,
                                       .as.goodbye = {.open = open}});
}

// --- as a client ---

void actor_submit(struct actor *actor, const char *action, const char *options,
                  const char *folder, const char *job,
                  const struct stage_file *files)
{
    struct wire_file sent[8] = {
        {.name = "job.yaml", .data = job, .len = strlen(job)}};
    struct message message = {.kind = MESSAGE_SUBMIT};
    size_t n = 1;

    for (; files->name != NULL; files++, n++)
        sent[n] = (struct wire_file){.name = files->name,
                                     .data = files->text,
                                     .len = strlen(files->text)};
    message.as.submit = (struct submit){.action = action,
                                        .options = options,
                                        .folder = folder,
                                        .files = sent,
                                        .n_files = n};
    actor_say(actor, &message);
}

static json_t *parse(const char *text)
{
    struct err err = ERR_CLEAR;
    json_t *json = json_parse(text, strlen(text), 1 << 24, &err);

    cr_assert_not_null(json, "%s in %s", err.text, text);
    return json;
}

json_t *actor_take_result(struct actor *actor, int64_t *status)
{
    const struct result *result =
        &actor_await(actor, MESSAGE_RESULT)->as.result;

    *status = result->status;
    return parse(result->document);
}

json_t *actor_command(struct actor *actor, const char *verb, const char *job)
{
    actor_say(actor,
              &(struct message){
                  .kind = MESSAGE_COMMAND,
                  .as.command = {.verb = verb, .job = job, .argument = ""}});
    return parse(actor_await(actor, MESSAGE_REPLY)->as.reply.document);
}

const char *stage_error(const json_t *document)
{
    return json_get_text(json_object_get(document, "error"), "text", "");
}

void actor_expect_score(struct actor *actor, double score, int64_t n)
{
    int64_t status;
    json_t *document = actor_take_result(actor, &status);

    cr_assert_eq(status, 0, "%s", stage_error(document));
    cr_expect_eq(json_get_number(document, "score", -1), score);
    cr_expect_eq(json_get_int(document, "n", -1), n);
    json_decref(document);
}
