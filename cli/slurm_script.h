// slurm_script: the scripts that `promptcc slurm` has Slurm run.
//
// Slurm places, starts, requeues and ends tasks; promptcc asks for calls. So
// there are two bash scripts for sbatch:
//
// * workers.sbatch, an array: each task starts its own Ollama on a free port of
//   its node (with the GPUs that Slurm gave it), has it pull the job's models,
//   and starts a worker for it. If a node has no Ollama, the task runs a worker
//   that starts a llama-server itself. SIGUSR1 arrives two minutes before the
//   time limit: the worker hands back the calls that have not begun and
//   finishes the rest, and the task asks to be requeued. SIGTERM, sent by a
//   preemption or scancel, does the same without asking, because Slurm itself
//   requeues what it preempts.
// * coordinator.sbatch, for when the coordinator should run as a Slurm job as
//   well. It starts a coordinator, writes its address to the file `endpoint`,
//   submits the job, waits for its result, and then cancels the workers. After
//   a requeue it continues the job from its store, and the workers follow the
//   file.
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
    const char *folder;     // of scripts and logs; absolute, like all paths
                            // below
    const char *endpoint;   // of a running coordinator; NULL: it is a Slurm job
    const char *worker_key; // file; NULL: no encryption
    const char *llama;      // as --llama-server takes it; NULL: Ollama
    const char *const *models; // to pull
    size_t n_models;
    const char *const *sbatch; // "--gres=gpu:1", "both:--account=lab"
    size_t n_sbatch;
    int64_t workers, slots, idle_s;
    // for a coordinator that is a Slurm job
    const char *keys; // folder
    const char *client_key;
    const char *store;
    const char *job;              // file
    const char *out;              // compiled file
    const char *const *overrides; // "KEY=VALUE" from --set and the like
    size_t n_overrides;
};

// Whom an option of sbatch is for: the text after "coordinator:" or "both:" is
// for those, any other is for the workers.
struct slurm_option {
    const char *text; // "--account=lab"
    bool of_workers, of_coordinator;
};
struct slurm_option slurm_option_of(const char *given);

// Append the script that sbatch gets for the workers, and for the coordinator.
void slurm_workers_script(const struct slurm_plan *plan, struct buf *out);
void slurm_coordinator_script(const struct slurm_plan *plan, struct buf *out);

#endif
