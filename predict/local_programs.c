#include "predict/local_programs.h"

#include <stdlib.h>

#include "program/graph/user_command.h"

enum { PROCESSES = 2 }; // for each command

struct local_programs {
    struct exec_pool *pool;            // owned
    size_t numbers[PROGRAM_MAX_STEPS]; // of each step's command in the pool
};

static size_t list_commands(const struct program *program,
                            struct exec_command *commands,
                            struct local_programs *programs)
{
    size_t n = 0;

    for (size_t s = 0; s < program->n_steps; s++) {
        const struct user_command *command = program->steps[s].command;

        if (command == NULL)
            continue;
        programs->numbers[s] = n;
        commands[n++] = (struct exec_command){.argv = command->argv,
                                              .timeout_ms = command->timeout_ms,
                                              .what = command->what,
                                              .check = command->check,
                                              .of = command->of};
    }
    return n;
}

static bool refuse(const struct exec_command *first, struct err *err)
{
    const char *second = first->argv[1] == NULL ? "" : first->argv[1];

    err_set(
        err, ERR_INPUT,
        "%s is a program, `%.60s%s%.60s`, which runs only with --allow-exec: "
        "use that if you trust the compiled file and the files next to it",
        first->what, first->argv[0], second[0] == '\0' ? "" : " ", second);
    return false;
}

bool local_programs_start(const struct program *program, const char *folder,
                          struct local_programs **out, struct err *err)
{
    struct exec_command commands[PROGRAM_MAX_STEPS];
    struct local_programs *programs = calloc(1, sizeof *programs);

    if (programs == NULL) {
        err_nomem(err, "the programs");
        return false;
    }
    struct exec_pool_options options = {
        .commands = commands, .folder = folder, .processes = PROCESSES};
    options.n_commands = list_commands(program, commands, programs);
    if (options.n_commands == 0 || folder == NULL) {
        free(programs);
        return options.n_commands == 0 || refuse(&commands[0], err);
    }
    programs->pool = exec_pool_start(&options, err);
    if (programs->pool == NULL) {
        free(programs);
        return false;
    }
    *out = programs;
    return true;
}

void local_programs_stop(struct local_programs *programs)
{
    if (programs == NULL)
        return;
    exec_pool_stop(programs->pool);
    free(programs);
}

bool local_programs_begin(struct local_programs *programs, int step,
                          uint64_t id, const char *line, size_t len,
                          struct err *err)
{
    return exec_pool_begin(programs->pool, programs->numbers[step], id, line,
                           len, err);
}

int local_programs_fd(const struct local_programs *programs)
{
    return programs == NULL ? -1 : exec_pool_fd(programs->pool);
}

bool local_programs_take(struct local_programs *programs,
                         struct exec_done *done)
{
    return programs != NULL && exec_pool_take(programs->pool, done);
}
