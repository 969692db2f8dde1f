// slurm_script: what `promptcc slurm` has Slurm run.
//
// Slurm places, starts, requeues and ends; promptcc asks for calls. So there
// are two bash scripts for sbatch:
//
// * workers.sbatch, an array: each task starts an Ollama of its own on a free
//   port of its node (with the GPUs that Slurm gave it), has it pull the job's
//   models, and a worker beside it; or, where a node has no Ollama, a worker
//   that starts a llama-server itself. SIGUSR1 comes two minutes before the
//   time limit: the worker hands back what has not begun, finishes the rest,
//   and the task asks to be requeued. SIGTERM, of a preemption or scancel, does
//   the same without asking, for Slurm requeues what it preempts.
// * coordinator.sbatch, where the coordinator is to be a job as well: starts
//   one, says in the file `endpoint` where it listens, submits the job and
//   waits for its result, then cancels the workers. Requeued, it takes the job
//   up from its store, and the workers follow the file.
//
// Values from the command line and the job are put in single quotes. Pure.

#ifndef CLI_SLURM_SCRIPT_H
#define CLI_SLURM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct slurm_plan {
    const char *name;       // of the job
    const char *promptcc;   // this program's path
    const char *folder;     // of scripts and logs; absolute, as all paths below
    const char *endpoint;   // of a coordinator that is there; NULL: it is a job
    const char *worker_key; // file; NULL: in the clear
    const char *llama;      // as --llama-server takes it; NULL: Ollama
    const char *const *models; // to pull
    size_t n_models;
    const char *const *sbatch; // "--gres=gpu:1", "both:--account=lab"
    size_t n_sbatch;
    int64_t workers, slots, idle_s;
    // of a coordinator that is a job
    const char *keys; // folder
    const char *client_key;
    const char *store;
    const char *job;              // file
    const char *out;              // compiled file
    const char *const *overrides; // "KEY=VALUE" of --set and its like
    size_t n_overrides;
};

// Whose an option of sbatch is: text behind "coordinator:" or "both:", else the
// workers'.
struct slurm_option {
    const char *text; // "--account=lab"
    bool of_workers, of_coordinator;
};
struct slurm_option slurm_option_of(const char *given);

void slurm_workers_script(const struct slurm_plan *plan, struct buf *out);
void slurm_coordinator_script(const struct slurm_plan *plan, struct buf *out);

#endif
