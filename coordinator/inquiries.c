#include "coordinator/inquiries.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/background.h"
#include "coordinator/query_child.h"

struct asked {
    struct chore chore; // first
    const struct inquiries *inquiries;
    struct inquiry inquiry; // its text is owned
    struct command command; // so are its texts
    struct err err;
};

static void free_asked(struct asked *asked)
{
    free((char *)asked->command.verb);
    free((char *)asked->command.job);
    free((char *)asked->command.argument);
    free((char *)asked->inquiry.text);
    free(asked);
}

static struct asked *copy_command(const struct command *command,
                                  struct err *err)
{
    struct asked *asked = calloc(1, sizeof *asked);

    if (asked != NULL)
        asked->command =
            (struct command){.verb = strdup(command->verb),
                             .job = strdup(command->job),
                             .argument = strdup(command->argument)};
    if (asked != NULL && asked->command.verb != NULL &&
        asked->command.job != NULL && asked->command.argument != NULL)
        return asked;
    if (asked != NULL)
        free_asked(asked);
    err_nomem(err, "a command");
    return NULL;
}

static void read_answer(struct chore *chore, struct store *reader,
                        const struct err *trouble)
{
    struct asked *asked = (struct asked *)(void *)chore;
    struct inquiry *inquiry = &asked->inquiry;

    if (reader == NULL)
        asked->err = *trouble;
    else if (command_is_query(inquiry->verb))
        inquiry->text =
            query_child_ask(asked->inquiries->program, store_path(reader),
                            asked->command.argument, &asked->err);
    else
        inquiry->found =
            command_read(inquiry->verb, reader, &asked->command, &asked->err);
    if (inquiry->text != NULL ||
        (inquiry->found != NULL && command_acts(inquiry->verb)))
        return;
    inquiry->text = command_text(inquiry->found, &asked->err);
    inquiry->found = NULL;
}

static void hand_over(struct chore *chore)
{
    struct asked *asked = (struct asked *)(void *)chore;

    asked->inquiries->answered(asked->inquiries->user, &asked->inquiry);
    free_asked(asked);
}

bool inquiries_ask(struct inquiries *inquiries,
                   const struct requester *requester, const struct verb *verb,
                   const struct command *command, struct err *err)
{
    const struct engine *engine = inquiries->engine;
    struct asked *asked = copy_command(command, err);

    if (asked == NULL)
        return false;
    asked->inquiries = inquiries;
    asked->inquiry = (struct inquiry){
        .requester = *requester, .verb = verb, .command = &asked->command};
    asked->chore = (struct chore){.work = read_answer,
                                  .done = hand_over,
                                  .after = store_last_put(engine->store),
                                  .impatient = true};
    if (background_give(command_is_query(verb) ? engine->query_chores
                                               : engine->read_chores,
                        &asked->chore, err))
        return true;
    free_asked(asked);
    return false;
}
