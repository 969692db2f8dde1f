// The programs of a job's exec metric, as files of its bundle.

#include "program/job/job.h"

#include <string.h>

bool job_fetch_commands(const struct job *job, struct bundle *bundle,
                        struct err *err)
{
    struct metric_command commands[METRIC_MAX_OUTSIDE];
    size_t n = metric_outside(job->metric, commands);

    for (size_t c = 0; bundle->folder != NULL && c < n; c++)
        for (size_t w = 0; commands[c].argv[w] != NULL; w++) {
            const char *word = commands[c].argv[w];
            struct err why = ERR_CLEAR;

            // What lies elsewhere on this machine is not the job's.
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
    struct metric_command commands[METRIC_MAX_OUTSIDE];
    size_t n = metric_outside(job->metric, commands);

    for (size_t c = 0; c < n; c++)
        for (size_t w = 0; commands[c].argv[w] != NULL; w++) {
            const struct bundle_file *file =
                bundle_find(bundle, commands[c].argv[w]);

            if (file != NULL)
                hasher_add(hasher, file->data, file->len);
        }
}
