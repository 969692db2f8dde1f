// The user's programs that a job asks, as files of its bundle.

#include "program/job/job.h"

#include <assert.h>
#include <string.h>

size_t job_commands(const struct job *job,
                    const struct user_command *out[JOB_MAX_COMMANDS])
{
    size_t n = metric_commands(job->metric, out);

    for (size_t i = 0; i < job->program->n_steps; i++)
        if (job->program->steps[i].command != NULL)
            out[n++] = job->program->steps[i].command;
    return n;
}

size_t job_command_number(const struct job *job,
                          const struct user_command *command)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    size_t n = job_commands(job, commands);
    size_t i = 0;

    while (i < n && commands[i] != command)
        i++;
    assert(i < n);
    return i;
}

bool job_fetch_commands(const struct job *job, struct bundle *bundle,
                        struct err *err)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    size_t n = job_commands(job, commands);

    for (size_t c = 0; bundle->folder != NULL && c < n; c++)
        for (size_t w = 0; commands[c]->argv[w] != NULL; w++) {
            const char *word = commands[c]->argv[w];
            struct err why = ERR_CLEAR;

            // Files elsewhere on this machine are not part of the job.
            if (word[0] == '/' || word[0] == '\0' || strstr(word, ".."))
                continue;
            if (bundle_get(bundle, word, &why) == NULL &&
                why.code != ERR_INPUT && why.code != ERR_IO) {
                *err = why;
                return false;
            }
        }
    return true;
}

void job_hash_commands(const struct job *job, const struct bundle *bundle,
                       struct hasher *hasher)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    size_t n = job_commands(job, commands);

    for (size_t c = 0; c < n; c++)
        for (size_t w = 0; commands[c]->argv[w] != NULL; w++) {
            const struct bundle_file *file =
                bundle_find(bundle, commands[c]->argv[w]);

            if (file != NULL)
                hasher_add(hasher, file->data, file->len);
        }
}
