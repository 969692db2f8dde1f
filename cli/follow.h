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

// What becomes of a file that already exists where the compiled file goes.
enum follow_existing {
    FOLLOW_BY_END,   // depends on how the run ended (cli/out_file.h)
    FOLLOW_REPLACES, // it is overwritten in any case
    FOLLOW_SPARES,   // the file of another program stays, even if the job is
                     // finished
};

// What a job left, for the command that followed it.
struct follow_outcome {
    bool wrote;       // the compiled file was written
    json_t *document; // the result, if `keeps_result`; a new reference
};

// Writes the files about what an evaluation scored. They are there before
// anyone is told that it is done.
struct follow_files {
    const void *user;
    bool (*write)(const void *user, int64_t candidate, struct err *err);
};

struct follow {
    // What the caller wants. All pointers are borrowed.
    const struct options *options;
    struct jobfile *file;
    struct request request; // what is asked; follow sets its overrides
    const char *store;   // for follow_here; NULL: --store, or next to the job
    const char *id;      // resume: the job
    const char *exclude; // resume: {"exclude": [N...]} for that job, or NULL
    const char *out;     // the compiled file, or NULL for none
    struct follow_files files;     // of an eval; none if write is NULL
    enum follow_existing existing; // at `out`
    bool wait;                     // wait for the result
    bool frozen; // stop when nothing more can be had without a model server
    bool keeps_result; // the caller keeps the result: print and write nothing,
                       // leave `file` as it is
    // How the coordinator is reached; set by follow.
    bool remote;                     // it is elsewhere: no folder is sent
    struct coordinator *coordinator; // in this process; NULL: elsewhere
    void *zmq;
    const char *endpoint;
    struct key key;            // KEY_NONE: no encryption
    struct notifier *notifier; // of --notify and --on-event
    struct follow_outcome outcome;
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
