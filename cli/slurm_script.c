#include "cli/slurm_script.h"

#include <inttypes.h>
#include <string.h>

#include "common/shell_word.h"

enum { WARNING_S = 120 }; // between SIGUSR1 and the time limit

static void put_setting(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=", name);
    shell_word_put(value, out);
    buf_putc(out, '\n');
}

// sbatch reads its comments without a shell, so a name has only letters, digits
// and a few safe marks; anything else could end the comment.
static void put_name(struct buf *out, const char *name)
{
    for (size_t i = 0; name[i] != '\0' && i < 60; i++)
        buf_putc(out, strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                             "XYZ0123456789._-",
                             name[i]) != NULL
                          ? name[i]
                          : '-');
}

struct slurm_option slurm_option_of(const char *given)
{
    static const struct {
        const char *prefix;
        bool of_workers, of_coordinator;
    } whom[] = {{"coordinator:", false, true}, {"both:", true, true}};

    for (size_t i = 0; i < sizeof whom / sizeof *whom; i++) {
        size_t len = strlen(whom[i].prefix);

        if (strncmp(given, whom[i].prefix, len) == 0)
            return (struct slurm_option){given + len, whom[i].of_workers,
                                         whom[i].of_coordinator};
    }
    return (struct slurm_option){given, true, false};
}

static void put_sbatch(struct buf *out, const struct slurm_plan *plan,
                       bool coordinator)
{
    for (size_t i = 0; i < plan->n_sbatch; i++) {
        struct slurm_option option = slurm_option_of(plan->sbatch[i]);

        if (coordinator ? option.of_coordinator : option.of_workers)
            buf_printf(out, "#SBATCH %s\n", option.text);
    }
    buf_putc(out, '\n');
}

static void put_head(struct buf *out, const struct slurm_plan *plan,
                     const char *what, const char *log)
{
    buf_puts(out, "#!/bin/bash\n#SBATCH --job-name=promptcc-");
    put_name(out, plan->name);
    buf_printf(out,
               "%s\n"
               "#SBATCH --output=\"%s/%s\"\n"
               "#SBATCH --open-mode=append\n"
               "#SBATCH --requeue\n"
               "#SBATCH --signal=B:USR1@%d\n",
               what, plan->folder, log, WARNING_S);
}

static const char worker_body[] =
    "set -u\n"
    "requeue=no\n"
    "worker=\n"
    "server=\n"
    "\n"
    "# Starts our own Ollama on a free port; if another program takes the "
    "port\n"
    "# first, on another one.\n"
    "start_server() {\n"
    "    export OLLAMA_NUM_PARALLEL=\"$slots\"\n"
    "    for _ in 1 2 3 4 5 6 7 8; do\n"
    "        port=$((20000 + RANDOM % 20000))\n"
    "        export OLLAMA_HOST=\"127.0.0.1:$port\"\n"
    "        ollama serve >>\"$folder/ollama-$SLURM_ARRAY_TASK_ID.log\" 2>&1 "
    "&\n"
    "        server=$!\n"
    "        for _ in $(seq 300); do\n"
    "            kill -0 \"$server\" 2>/dev/null || continue 2\n"
    "            if (exec 3<>\"/dev/tcp/127.0.0.1/$port\") 2>/dev/null; then\n"
    "                sleep 0.5\n"
    "                kill -0 \"$server\" 2>/dev/null && return 0\n"
    "            fi\n"
    "            sleep 0.2\n"
    "        done\n"
    "        kill \"$server\" 2>/dev/null\n"
    "    done\n"
    "    echo \"ollama does not start: see $folder/ollama-$SLURM_ARRAY_TASK_ID"
    ".log\" >&2\n"
    "    return 1\n"
    "}\n"
    "\n"
    "start_worker() {\n"
    "    \"$promptcc\" worker --coordinator \"$endpoint\" ${key:+--keys "
    "\"$key\"} "
    "\\\n"
    "        ${llama:+--llama-server \"$llama,slots=$slots\"} \\\n"
    "        ${port:+--ollama \"http://127.0.0.1:$port,slots=$slots\"} \\\n"
    "        --name \"$(hostname -s)-$SLURM_ARRAY_TASK_ID\" --idle "
    "\"${idle}s\" "
    "&\n"
    "    worker=$!\n"
    "}\n"
    "\n"
    "finish() {\n"
    "    ending=yes\n"
    "    [ -z \"$worker\" ] || kill -TERM \"$worker\" 2>/dev/null\n"
    "}\n"
    "trap 'requeue=yes; finish' USR1\n"
    "trap finish TERM\n"
    "ending=no\n"
    "\n"
    "port=\n"
    "[ -n \"$llama\" ] || start_server || exit 1\n"
    "for model in \"${models[@]}\"; do\n"
    "    ollama pull \"$model\" || { kill \"$server\"; exit 1; }\n"
    "done\n"
    "while [ \"$ending\" = no ]; do\n"
    "    if [ -n \"$endpoint_file\" ]; then\n"
    "        until [ -s \"$endpoint_file\" ] || [ \"$ending\" = yes ]; do\n"
    "            sleep 0.5\n"
    "        done\n"
    "        endpoint=$(cat \"$endpoint_file\")\n"
    "    fi\n"
    "    [ \"$ending\" = no ] || break\n"
    "    start_worker\n"
    "    while kill -0 \"$worker\" 2>/dev/null; do\n"
    "        sleep 1 & wait $!\n"
    "        # A coordinator that was requeued listens somewhere else.\n"
    "        if [ -n \"$endpoint_file\" ] && [ \"$ending\" = no ] &&\n"
    "            [ \"$(cat \"$endpoint_file\")\" != \"$endpoint\" ]; then\n"
    "            kill -TERM \"$worker\" 2>/dev/null\n"
    "            wait \"$worker\"\n"
    "            continue 2\n"
    "        fi\n"
    "    done\n"
    "    wait \"$worker\"\n"
    "    status=$?\n"
    "    break\n"
    "done\n"
    "kill \"$server\" 2>/dev/null\n"
    "wait \"$server\" 2>/dev/null\n"
    "if [ \"$requeue\" = yes ]; then\n"
    "    scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
    "fi\n"
    "exit \"${status:-0}\"\n";

void slurm_workers_script(const struct slurm_plan *plan, struct buf *out)
{
    put_head(out, plan, "-worker", "worker-%a.log");
    buf_printf(out, "#SBATCH --array=1-%" PRId64 "\n", plan->workers);
    put_sbatch(out, plan, false);
    put_setting(out, "promptcc", plan->promptcc);
    put_setting(out, "folder", plan->folder);
    put_setting(out, "endpoint", plan->endpoint == NULL ? "" : plan->endpoint);
    buf_puts(out, plan->endpoint == NULL
                      ? "endpoint_file=\"$folder/endpoint\"\n"
                      : "endpoint_file=\n");
    put_setting(out, "key", plan->worker_key == NULL ? "" : plan->worker_key);
    put_setting(out, "llama", plan->llama == NULL ? "" : plan->llama);
    buf_printf(out, "slots=%" PRId64 "\nidle=%" PRId64 "\nmodels=(",
               plan->slots, plan->idle_s);
    for (size_t i = 0; plan->llama == NULL && i < plan->n_models; i++) {
        if (i > 0)
            buf_putc(out, ' ');
        shell_word_put(plan->models[i], out);
    }
    buf_puts(out, ")\n");
    buf_puts(out, worker_body);
}

static const char coordinator_body[] =
    "set -u\n"
    "requeue=no\n"
    "client=\n"
    "listening=$folder/listening\n"
    "rm -f \"$folder/endpoint\"\n"
    "\n"
    "\"$promptcc\" coordinator --listen tcp://0.0.0.0:0 --keys \"$keys\" \\\n"
    "    --store \"$store\" >\"$listening\" &\n"
    "coordinator=$!\n"
    "\n"
    "finish() {\n"
    "    [ -z \"$client\" ] || kill -TERM \"$client\" 2>/dev/null\n"
    "    kill -TERM \"$coordinator\" 2>/dev/null\n"
    "}\n"
    "trap 'requeue=yes; finish' USR1\n"
    "trap finish TERM\n"
    "\n"
    "port=\n"
    "while [ -z \"$port\" ]; do\n"
    "    kill -0 \"$coordinator\" 2>/dev/null || exit 1\n"
    "    port=$(sed -n 's/^listening on tcp:.*:\\([0-9]*\\)$/\\1/p' "
    "\"$listening\")\n"
    "    sleep 0.2\n"
    "done\n"
    "# Renamed into place, so that no worker reads half of it.\n"
    "echo \"tcp://$(hostname):$port\" >\"$folder/endpoint.new\"\n"
    "mv \"$folder/endpoint.new\" \"$folder/endpoint\"\n"
    "\n"
    "\"$promptcc\" submit \"$job\" --coordinator \"tcp://127.0.0.1:$port\" \\\n"
    "    --keys \"$client_key\" --wait --out \"$out\" \"${set[@]}\" &\n"
    "client=$!\n"
    "while kill -0 \"$client\" 2>/dev/null; do\n"
    "    wait \"$client\"\n"
    "    status=$?\n"
    "done\n"
    "kill -TERM \"$coordinator\" 2>/dev/null\n"
    "while kill -0 \"$coordinator\" 2>/dev/null; do\n"
    "    wait \"$coordinator\"\n"
    "done\n"
    "if [ \"$requeue\" = yes ]; then\n"
    "    scontrol requeue \"$SLURM_JOB_ID\"\n"
    "elif [ -s \"$folder/workers.id\" ]; then\n"
    "    scancel \"$(cat \"$folder/workers.id\")\"\n"
    "fi\n"
    "exit \"${status:-1}\"\n";

void slurm_coordinator_script(const struct slurm_plan *plan, struct buf *out)
{
    put_head(out, plan, "", "coordinator.log");
    put_sbatch(out, plan, true);
    put_setting(out, "promptcc", plan->promptcc);
    put_setting(out, "folder", plan->folder);
    put_setting(out, "keys", plan->keys);
    put_setting(out, "client_key", plan->client_key);
    put_setting(out, "store", plan->store);
    put_setting(out, "job", plan->job);
    put_setting(out, "out", plan->out);
    buf_puts(out, "set=(");
    for (size_t i = 0; i < plan->n_overrides; i++) {
        buf_puts(out, i > 0 ? " --set " : "--set ");
        shell_word_put(plan->overrides[i], out);
    }
    buf_puts(out, ")\n");
    buf_puts(out, coordinator_body);
}
