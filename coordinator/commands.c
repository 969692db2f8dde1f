#include "coordinator/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/error_document.h"
#include "common/json.h"
#include "coordinator/jobs.h"
#include "coordinator/late_replies.h"
#include "coordinator/peers.h"
#include "coordinator/resumption.h"
#include "coordinator/side_call.h"
#include "coordinator/status.h"
#include "store/job_name.h"
#include "store/lookup.h"

enum { ARGUMENT_BYTES = 1 << 20 };

// --- read: off the loop ---

// Reads what a history can tell (store/lookup.h), with the same result as for a
// store on this machine.
static json_t *read_lookup(struct store *store, const struct command *command,
                           struct err *err)
{
    struct err ignored = ERR_CLEAR;
    json_t *argument = json_parse(command->argument, strlen(command->argument),
                                  ARGUMENT_BYTES, &ignored);
    json_t *answer =
        lookup_answer(store, command->verb, command->job, argument, err);

    json_decref(argument);
    return answer;
}

// A command that looks at a job may leave out the name and gets the newest; one
// that ends or resumes a job must name it.
static char *find_named(struct store *store, const struct command *command,
                        struct err *err)
{
    if (command->job[0] != '\0')
        return job_name_find(store, command->job, err);
    err_set(err, ERR_INPUT, "`%s` needs the name of a job", command->verb);
    return NULL;
}

// Finds the job that command->job names, by id, the beginning of an id, or
// name.
static json_t *read_id(struct store *store, const struct command *command,
                       struct err *err)
{
    char *id = find_named(store, command, err);
    json_t *found = id == NULL ? NULL : json_string(id);

    free(id);
    return found;
}

static json_t *read_resume(struct store *store, const struct command *command,
                           struct err *err)
{
    char *id = find_named(store, command, err);
    json_t *changes =
        id == NULL ? NULL : resumption_check(store, id, command->argument, err);
    json_t *found = changes == NULL ? NULL
                                    : json_pack("{s:s, s:o}", "job", id,
                                                "changes", changes);

    free(id);
    return found;
}

// --- act: on the loop ---

static json_t *act_workers(const struct command_scene *at,
                           const struct command *command, const json_t *found,
                           struct err *err)
{
    (void)command;
    (void)found;
    (void)err;
    return status_workers(at->engine, at->jobs);
}

static json_t *act_status(const struct command_scene *at,
                          const struct command *command, const json_t *found,
                          struct err *err)
{
    (void)command;
    (void)found;
    (void)err;
    return status_numbers(at->engine, at->jobs);
}

// Ends the job that `found` names; it can be resumed later in any state. For a
// running job, the reply follows when it has ended.
static json_t *end_job(const struct command_scene *at, const json_t *found,
                       const struct job_end *how, struct err *err)
{
    struct late_reply reply = {
        .requester = requester_from(at->peer, REQUESTER_COMMANDS)};
    const char *id =
        jobs_end(at->jobs, json_string_value(found), how, &reply.ending, err);

    if (id == NULL)
        return NULL;
    if (reply.ending == NULL)
        return json_pack("{s:s, s:s}", "job", id, "state",
                         job_state_name(how->state));
    (void)late_replies_add(at->late, &reply, err);
    return NULL;
}

static json_t *act_stop(const struct command_scene *at,
                        const struct command *command, const json_t *found,
                        struct err *err)
{
    struct job_end how = {.state = JOB_STOPPED};

    (void)command;
    err_set(&how.why, ERR_STOPPED,
            "stopped; run the same command again to continue");
    return end_job(at, found, &how, err);
}

static json_t *act_pause(const struct command_scene *at,
                         const struct command *command, const json_t *found,
                         struct err *err)
{
    struct job_end how = {.state = JOB_PAUSED};

    (void)command;
    err_set(&how.why, ERR_FAULT, "paused by `pause`; `resume` continues it");
    return end_job(at, found, &how, err);
}

// The reply follows when the job has begun, or could not.
static json_t *act_resume(const struct command_scene *at,
                          const struct command *command, const json_t *found,
                          struct err *err)
{
    const char *id = json_get_text(found, "job", "");
    struct requester requester = requester_from(at->peer, REQUESTER_COMMANDS);
    struct resumption changes;

    (void)command;
    if (!resumption_of(json_object_get(found, "changes"), &changes, err))
        return NULL;
    if (!resumption_is_empty(&changes) || !jobs_is_running(at->jobs, id)) {
        (void)jobs_resume(at->jobs, &requester, id, &changes, err);
        return NULL;
    }
    resumption_release(&changes);
    err_set(err, ERR_INPUT, "job %.200s is running", id);
    return NULL;
}

// Asks a model outside of any job. The reply follows when the answer is there.
static json_t *act_ask(const struct command_scene *at,
                       const struct command *command, const json_t *found,
                       struct err *err)
{
    json_t *argument = json_parse(command->argument, strlen(command->argument),
                                  ARGUMENT_BYTES, err);
    struct peer_address asker = peer_address(at->peer);

    (void)found;
    if (argument != NULL)
        (void)side_call_begin(at->engine, &asker, argument,
                              clock_monotonic_ms(), err);
    json_decref(argument);
    return NULL;
}

static const struct verb {
    struct verb_about about;
    json_t *(*read)(struct store *store, const struct command *command,
                    struct err *err);
    json_t *(*act)(const struct command_scene *at,
                   const struct command *command, const json_t *found,
                   struct err *err);
    bool query;   // SQL written by the client
    bool changes; // the reply says what was put
} verbs[] = {
    {.about = {"query", false, "`sql`",
               "`columns`, a list of names; `rows`, a list of objects"},
     .query = true},
    {.about =
         {"workers", false, NULL,
          "the connected ones: `name`, `state`, `server`, `slots`, `open` "
          "(calls that it has), `models`, `calls`, `faults`, `last_fault`, "
          "`reason`"},
     .act = act_workers},
    {.about =
         {"status", false, NULL,
          "the current state in numbers: `jobs` with the members of PROGRESS, "
          "`calls`, `workers` by state, `slots`, `longest_turn_ms`"},
     .act = act_status},
    {.about = {"stop", true, NULL, "`job`, `state`"},
     .read = read_id,
     .act = act_stop,
     .changes = true},
    {.about = {"pause", true, NULL, "`job`, `state`"},
     .read = read_id,
     .act = act_pause,
     .changes = true},
    {.about =
         {"resume", true,
          "`exclude` (up to 10,000 row numbers), `priority`, "
          "`max_workers`, each optional. A running job takes only the last "
          "two",
          "`job`, `state`"},
     .read = read_resume,
     .act = act_resume},
    {.about =
         {"ask", false,
          "`model`, `digest` (missing: any), `prefix`, `tail`, `format`, "
          "`options` of a CALL",
          "a model's answer outside of any job, not stored: `outcome`, `text`, "
          "`prompt_tokens`, `generated_tokens`, `total_us`. 16 at a time, 120 "
          "s"},
     .act = act_ask},
};

const struct verb_about *command_about(size_t i)
{
    return i < sizeof verbs / sizeof *verbs ? &verbs[i].about : NULL;
}

// Everything that a history answers; lookup.c has the row of each verb.
static const struct verb verb_lookup = {.read = read_lookup};

const struct verb *command_verb(const char *name, struct err *err)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].about.name, name) == 0)
            return &verbs[i];
    if (lookup_knows(name))
        return &verb_lookup;
    err_set(err, ERR_INPUT, "the coordinator does not know `%.40s`", name);
    return NULL;
}

bool command_reads(const struct verb *verb)
{
    return verb->read != NULL || verb->query;
}

bool command_is_query(const struct verb *verb)
{
    return verb->query;
}

bool command_acts(const struct verb *verb)
{
    return verb->act != NULL;
}

bool command_changes(const struct verb *verb)
{
    return verb->changes;
}

json_t *command_read(const struct verb *verb, struct store *store,
                     const struct command *command, struct err *err)
{
    return verb->read(store, command, err);
}

json_t *command_act(const struct verb *verb, const struct command_scene *at,
                    const struct command *command, json_t *found,
                    struct err *err)
{
    json_t *answer = verb->act(at, command, found, err);

    json_decref(found);
    return answer;
}

// A reply that does not fit into any frame becomes an error, so that the client
// does get a reply.
char *command_text(json_t *answer, const struct err *err)
{
    struct err why = *err;
    char *text = answer == NULL ? NULL : json_text(answer);
    size_t len = text == NULL ? 0 : strlen(text);

    if (answer != NULL && text == NULL)
        err_nomem(&why, "a reply");
    if (len >= WIRE_MAX_TEXT) {
        err_set(&why, ERR_LIMIT,
                "the answer has %zu MiB, over the %d MiB of a reply: ask for "
                "less of it, with WHERE or LIMIT, or on the coordinator's own "
                "machine",
                len >> 20, WIRE_MAX_TEXT >> 20);
        free(text);
        text = NULL;
    }
    json_decref(answer);
    return text == NULL ? error_document(&why) : text;
}
