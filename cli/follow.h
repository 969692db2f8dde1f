// follow: a job from the moment it is sent to the last word about it.
//
// Shared by run, eval, submit, resume and export. It sends the job through a
// client, shows progress (cli/viewer.h), and ends with the last word
// (cli/last_word.h), whose exit status it returns.

#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/jobfile.h"
#include "cli/options.h"
#include "client/client.h"
#include "wire/request.h"

struct notifier;

struct follow {
    const struct options *options;
    struct jobfile *file;
    struct request request; // what is asked; follow sets its overrides
    bool remote;            // the coordinator is elsewhere: no folder is sent
    bool wait;              // wait for the result
    bool frozen;     // stop when nothing more can be had without a model server
    const char *out; // the compiled file, or NULL for none
    bool overwrites; // write to `out` even over an existing file
    bool protects_file;  // even a finished job leaves a file of another program
                         // alone
    const char *exclude; // resume: {"exclude": [N...]} for job id, or NULL
    const char *id;
    const char *store; // for follow_here; NULL: --store, or next to the job
    void *zmq;
    struct coordinator *coordinator; // in this process; NULL: elsewhere
    const char *endpoint;
    struct key key;            // KEY_NONE: no encryption
    struct notifier *notifier; // of --notify and --on-event; set by follow
    bool keeps_result;         // for a caller that keeps the result: print and
                               // write nothing, leave `file` as it is
    json_t *document;          // out: the result, if `keeps_result`; a new
                               // reference
    bool wrote;                // out: the compiled file was written
    int64_t candidate;         // out: what an evaluation scored; 0: nothing
};

// Runs a `run` or `eval` here and now: starts store, coordinator and workers in
// this process, follows the job to its result, and stops them. The caller sets
// options, file, request, frozen and store. The compiled file goes to --out,
// else to request.out, else to compiled.json next to the job file.
int follow_here(struct follow *follow);

// Like follow_here, but at the coordinator of --coordinator. Follows the job to
// its result only if `wait` is set.
int follow_there(struct follow *follow);

#endif
