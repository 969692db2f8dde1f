// job_reader: a job file on its way to a job.
//
// A reader has the tree of the file and the job that it fills; every mistake
// is a finding, and reading goes on, so that the user sees them all at once.
// job_load.c has a row for each key at the top; those with much in them have
// files of their own.

#ifndef PROGRAM_JOB_JOB_READER_H
#define PROGRAM_JOB_JOB_READER_H

#include "program/job/job.h"
#include "program/source/node.h"

struct job_reader {
    struct job *job;
    struct bundle *bundle;
    struct node *root;
    struct diags *diags;
    struct job_model common; // what `models` says of all roles
};

// Notes that there is no memory; false.
bool job_reader_nomem(struct job_reader *reader);

// Whether the node is a map, and a finding with an example where it is not.
bool job_reader_map(struct job_reader *reader, const struct node *node,
                    const char *what, const char *example);

// A text that is there and not empty, in the job's arena.
bool job_reader_text(struct job_reader *reader, const struct node *node,
                     const char *what, const char **out);

// --- keys with much in them ---

void job_read_models(struct job_reader *reader, const struct node *node);
void job_read_data(struct job_reader *reader, const struct node *node);

// --- what is checked of a job that was read ---

// For a job that may have mistakes: finds a misspelt label in `stratify`.
void job_check_stratify(struct job_reader *reader);

// For a job without mistakes so far: brings the files that its commands and
// searches name into the bundle and checks them, and checks that a job which
// searches by embeddings names a model for them.
void job_check_whole(struct job_reader *reader);

// --- job.c ---

// With all defaults. NULL without memory.
struct job *job_new(const struct bundle *bundle);

// Whether the step searches by embeddings, or may come to.
bool job_step_embeds(const struct job *job, int step);

#endif
