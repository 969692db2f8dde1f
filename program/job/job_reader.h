// job_reader: reads a job file into a job.
//
// A reader holds the tree of the file and the job that it fills. Every mistake
// becomes a finding and reading continues, so that the user sees all of them at
// once. job_load.c has a row for each top-level key; large keys have files of
// their own.

#ifndef PROGRAM_JOB_JOB_READER_H
#define PROGRAM_JOB_JOB_READER_H

#include "program/job/job.h"
#include "program/source/node.h"

struct job_reader {
    struct job *job;
    struct bundle *bundle;
    struct node *root;
    struct diags *diags;
    struct job_model common; // what `models` says for all roles
};

// Records that memory ran out; returns false.
bool job_reader_nomem(struct job_reader *reader);

// Returns true if the node is a map; otherwise adds a finding with an example.
bool job_reader_map(struct job_reader *reader, const struct node *node,
                    const char *what, const char *example);

// Reads a text that must be present and not empty into the job's arena.
bool job_reader_text(struct job_reader *reader, const struct node *node,
                     const char *what, const char **out);

// --- large keys ---

void job_read_models(struct job_reader *reader, const struct node *node);
void job_read_data(struct job_reader *reader, const struct node *node);

// --- checks of a job that has been read ---

// Finds a misspelt label in `stratify`. The job may have mistakes.
void job_check_stratify(struct job_reader *reader);

// Finishes a job without mistakes so far: adds the files that its commands and
// searches name to the bundle, checks them, and checks that a job which
// searches by embeddings names a model for them.
void job_check_whole(struct job_reader *reader);

// --- job.c ---

// Creates a job with all defaults. Returns NULL when out of memory.
struct job *job_new(const struct bundle *bundle);

// Returns true if the step searches by embeddings, or some candidate of it may.
bool job_step_embeds(const struct job *job, int step);

#endif
