#include "cli/option_table.h"

#include <limits.h>
#include <stddef.h>

#include "cli/forms.h"
#include "cli/servers.h"
#include "wire/request.h"

// The maximum that CALL can carry (docs/protocol.md); more would have no
// effect.
#define TIME_MOST_MS ((int64_t)168 * 3600 * 1000)

// "screen_and_race|miprov2|...|"
#define OPTIMIZER(name) #name "|"
static const char optimizer_words[] =
#include "search/optimizers/optimizers.def"
    ;
#undef OPTIMIZER

const struct option_row option_rows[OPTION_COUNT] = {
    [OPT_STORE] =
        {"store", "FILE", KIND_TEXT,
         "the file with the history and every answer that was paid for",
         .default_text = "promptcc.db next to the job file, or in the "
                         "current folder if no job file is named",
         .offer.files = "db"},
    [OPT_OLLAMA] = {"ollama", "URL[,slots=N]", KIND_LIST,
                    "an Ollama server, and how many calls it works on at once "
                    "(1); repeatable",
                    .default_text = SERVERS_DEFAULT_OLLAMA},
    [OPT_OPENAI] = {"openai", "URL[,slots=N]", KIND_LIST,
                    "an OpenAI-compatible server (llama.cpp, vLLM, LM Studio); "
                    "repeatable"},
    [OPT_SIMULATE] = {"simulate", NULL, KIND_FLAG,
                      "use a stand-in for the model, to try things out; its "
                      "scores say nothing about a real model"},
    [OPT_OUT] = {"out", "FILE", KIND_TEXT, "where the compiled file goes",
                 .default_text = "compiled.json next to the job file",
                 .offer.files = OFFER_ANY},
    [OPT_OPTIMIZER] = {"optimizer", "NAME", KIND_WORD,
                       "use this optimizer instead of the job's",
                       .offer.words = optimizer_words,
                       .more = "Its parameters have their defaults; `--set "
                               "optimizer.NAME.KEY=VALUE` sets them."},
    [OPT_SET] = {"set", "KEY=VALUE", KIND_LIST,
                 "set any value of the job file, such as "
                 "optimizer.miprov2.auto=medium; repeatable",
                 .offer.keys = true, .more = "VALUE is YAML."},
    [OPT_SEED] = {"seed", "N", KIND_WHOLE, "the optimizer's seed",
                  .default_text = "the job file's"},
    [OPT_MAX_CALLS] = {"max-calls", "N", KIND_COUNT,
                       "budget in model calls (20000, 20K)", .least = 1,
                       .most = INT64_MAX, .range = "above 0"},
    [OPT_MAX_TOKENS] = {"max-tokens", "N", KIND_COUNT, "budget in tokens (30M)",
                        .least = 1, .most = INT64_MAX, .range = "above 0"},
    [OPT_MAX_TIME] = {"max-time", "T", KIND_TIME,
                      "budget in time (90s, 60m, 2h)", .least = 1,
                      .most = INT64_MAX, .range = "above 0"},
    [OPT_MAX_PROMPT_TOKENS] =
        {"max-prompt-tokens", "N", KIND_COUNT,
         "tokens that a compiled prompt may have, including the question",
         .least = 1, .most = INT64_MAX, .range = "above 0",
         .more = "It is `max_prompt_tokens` of the job."},
    [OPT_FROM] = {"from", "FILE|ID", KIND_TEXT,
                  "start from a compiled program: a file, or a job of --store",
                  .offer = {.files = "json", .jobs = true},
                  .more = "It is `from` of the job."},
    [OPT_WAIT] = {"wait", "T", KIND_TIME,
                  "wait at most T while nothing answers; then the job pauses",
                  .default_text = "20s at the start, 5m after the first answer",
                  .least = 1000, .most = TIME_MOST_MS,
                  .range = "from 1s to 168h"},
    [OPT_AWAIT] = {"wait", "[=T]", KIND_MAYBE_TIME,
                   "wait for the result and show progress; with =T at most T "
                   "while nothing answers",
                   .env = "PROMPTCC_AWAIT", .least = 1000, .most = TIME_MOST_MS,
                   .range = "from 1s to 168h",
                   .more = "Then it exits with 3, while the job continues."},
    [OPT_CALL_TIMEOUT] =
        {"call-timeout", "T", KIND_TIME,
         "the longest that one model call may take", .fallback = "10m",
         .least = 1000, .most = TIME_MOST_MS, .range = "from 1s to 168h",
         .more = "Usually a call is given up much earlier, depending on "
                 "the speed that the worker measures."},
    [OPT_COORDINATOR] = {"coordinator", "tcp://HOST:PORT", KIND_ENDPOINT,
                         "the coordinator of a cluster"},
    [OPT_LISTEN] = {"listen", "tcp://HOST:PORT", KIND_ENDPOINT,
                    "where to listen; port 0 picks a free one and prints it",
                    .fallback = "tcp://127.0.0.1:5570"},
    [OPT_KEYS] = {"keys", "DIR", KIND_TEXT,
                  "the folder with the key to use (`promptcc keys` makes it), "
                  "or the key's file; everything is then encrypted",
                  .offer.files = "key",
                  .more = "Each side then proves who it is."},
    [OPT_HTTP] = {"http", "HOST:PORT", KIND_TEXT,
                  "serve the dashboard and the HTTP API there, such as "
                  "127.0.0.1:8070; port 0 picks a free one and prints it"},
    [OPT_HTTP_TOKEN] =
        {"http-token", "FILE", KIND_TEXT,
         "ask whoever opens the pages for the token in this file, which is "
         "made if it does not exist; needed to serve beyond this machine",
         .offer.files = OFFER_ANY},
    [OPT_NOTIFY] =
        {"notify", "URL", KIND_LIST,
         "POST a JSON object there when a better program is found, and when "
         "the job is done, pauses, stops or fails; repeatable"},
    [OPT_ON_EVENT] =
        {"on-event", "COMMAND", KIND_LINES,
         "run a shell command on the same events, with the JSON object as a "
         "line on its standard input and PROMPTCC_EVENT set; repeatable",
         .more = "PROMPTCC_JOB and PROMPTCC_SCORE are set too. The "
                 "environment variable holds one command."},
    [OPT_ALLOW_EXEC] = {"allow-exec", NULL, KIND_FLAG,
                        "run the programs that submitted jobs, or a compiled "
                        "file, name in exec metrics and exec steps"},
    [OPT_TRUST_NETWORK] = {"trust-network", NULL, KIND_FLAG,
                           "listen beyond this machine without --keys and "
                           "unencrypted: only in your own network"},
    [OPT_NAME] = {"name", "NAME", KIND_TEXT, "what the worker is called",
                  .default_text = "host name and process id"},
    [OPT_IDLE] = {"idle", "T", KIND_TIME,
                  "end after T without a call to make, so that nobody pays for "
                  "an idle machine",
                  .least = 1000, .most = TIME_MOST_MS,
                  .range = "from 1s to 168h"},
    [OPT_KEEP_ALIVE] = {"keep-alive", "T", KIND_TEXT,
                        "how long Ollama keeps a model loaded after a call; 0 "
                        "unloads at once, -1 never",
                        .default_text = "30m"},
    [OPT_HOURS] = {"hours", "FROM-TO", KIND_TEXT,
                   "take calls only between these times of the day, such as "
                   "20-08 or 18:30-7"},
    [OPT_YIELD] = {"yield", "[=LOAD]", KIND_MAYBE_WHOLE,
                   "take no calls while others use the model server, or the "
                   "load average is above LOAD",
                   .default_text = "LOAD is the number of processors",
                   .least = 1, .most = INT64_MAX, .range = "above 0"},
    [OPT_RESTART_CMD] = {"restart-cmd", "COMMAND", KIND_TEXT,
                         "run this when the model server has stopped "
                         "answering, at most once a minute"},
    [OPT_LLAMA] = {"llama", "URL[,slots=N]", KIND_LIST,
                   "a llama.cpp server, which itself says how many slots it "
                   "has and how many tokens it reused; repeatable",
                   .more = "Unlike with --openai, it counts as away while its "
                           "model loads (`/props`)."},
    [OPT_LLAMA_SERVER] =
        {"llama-server",
         "MODEL.gguf[,slots=N][,ctx=N]"
         "[,name=NAME]",
         KIND_LIST,
         "start a llama-server with this model, and stop it at "
         "the end; repeatable",
         .offer.files = "gguf",
         .more = "It runs the program `llama-server` of PATH on a free "
                 "port, with `slots` (1) calls at once and a window of "
                 "`ctx` (8192) tokens each. Jobs ask for the model as "
                 "NAME (the file's name without .gguf). The file's "
                 "SHA-256 is its digest, so no `revision` is needed."},
    [OPT_DISCOVER] = {"discover", "[=PORTS]", KIND_MAYBE_PORTS,
                      "use every model server that listens on this machine",
                      .default_text = "PORTS are 11434-11449,8080",
                      .more =
                          "By default those are Ollama on the ports 11434 to "
                          "11449, and llama.cpp or an OpenAI-compatible server "
                          "on 8080."},
    [OPT_WORKERS] = {"workers", "N", KIND_WHOLE,
                     "how many workers to ask Slurm for", .fallback = "4",
                     .least = 1, .most = 10000, .range = "from 1 to 10000"},
    [OPT_SBATCH] = {"sbatch", "OPTION", KIND_LIST,
                    "an option of sbatch for the workers, such as "
                    "--gres=gpu:1; `coordinator:OPTION` is for the "
                    "coordinator, `both:OPTION` for both; repeatable",
                    .dashes = true},
    [OPT_DRY_RUN] = {"dry-run", NULL, KIND_FLAG,
                     "write the scripts and submit nothing"},
    [OPT_PRIORITY] =
        {"priority", "N", KIND_WHOLE,
         "the job's share of the slots while other jobs want them too",
         .fallback = "10", .least = 1, .most = 100, .range = "from 1 to 100",
         .more =
             "From 1 to 100; a job with 20 has twice the share of one with 10. "
             "It is kept with the job and does not change what the job finds; "
             "`resume ID --priority N` changes it, also while the job runs."},
    [OPT_MAX_WORKERS] =
        {"max-workers", "N", KIND_WHOLE,
         "how many workers may have calls of the job at a time",
         .default_text = "all", .least = 1, .most = REQUEST_MAX_WORKERS,
         .range = "from 1 to 10000",
         .more =
             "From 1 to 10,000. The job keeps the workers that it has, so that "
             "its prompts stay in their caches; if one leaves or falls silent, "
             "another takes its place. The number is kept with the job and "
             "does not change what the job finds. `resume ID --max-workers N "
             "--coordinator ...` changes it, also while the job runs."},
    [OPT_EXCLUDE] = {"exclude", "N", KIND_LIST,
                     "continue without example N, the number that the pause "
                     "named; repeatable"},
    [OPT_COMPILED] = {"compiled", "FILE", KIND_TEXT,
                      "score the prompts of this file",
                      .default_text = "the program as written",
                      .offer.files = "json"},
    [OPT_DATA] = {"data", "FILE", KIND_TEXT, "score on every row of this file",
                  .default_text = "the test share, else the validation share",
                  .offer.files = OFFER_ANY},
    [OPT_ALL_STEPS] = {"all-steps", NULL, KIND_FLAG,
                       "also run the steps that the metric does not need"},
    [OPT_FAIL_BELOW] = {"fail-below", "X", KIND_SCORE,
                        "exit with 100 when the score is lower (0.8 or 80%)"},
    [OPT_ROWS] = {"rows", "FILE", KIND_TEXT,
                  "write the result of each row: as CSV if FILE ends in .csv, "
                  "else as JSON lines",
                  .offer.files = OFFER_ANY,
                  .more = "A row has its number, share, file and line, inputs, "
                          "labels, the model's answer, outcome, score and "
                          "reason."},
    [OPT_FORMAT] =
        {"format", "FORM", KIND_WORD,
         "another form, to --out or standard output: messages (JSON), "
         "modelfile (Ollama), dspy (as DSPy itself saves it) or markdown",
         .offer.words = FORM_WORDS},
    [OPT_STEP] = {"step", "NAME", KIND_TEXT, "only this step"},
    [OPT_REDUCE_FN] =
        {"reduce-fn", "HOW", KIND_WORD,
         "how several answers become one: the one that the majority gives, or "
         "the one that the model names as the best",
         .fallback = "majority", .offer.words = "majority|judge"},
    [OPT_FIELD] = {"field", "NAME", KIND_TEXT, "the output that is voted on",
                   .default_text = "the first that is a label, else the last"},
    [OPT_SIZE] = {"size", "N", KIND_WHOLE,
                  "use only the N programs with the best scores",
                  .default_text = "all of them", .least = 2, .most = 32,
                  .range = "from 2 to 32"},
    [OPT_JUNIT] = {"junit", "FILE", KIND_TEXT,
                   "write a JUnit XML report for CI, with a case for each row; "
                   "it passes with a full score, or with that of --fail-below",
                   .offer.files = OFFER_ANY,
                   .more =
                       "A case names its file and its line; a failure shows "
                       "inputs, labels, answer and the reason."},
    [OPT_INPUT] = {"input", "FILE", KIND_TEXT,
                   "the inputs, one row each, in any form that data may have "
                   "(JSON lines, JSON, CSV); - is standard input",
                   .offer.files = OFFER_ANY,
                   .more = "See docs/job-file.md for the forms."},
    [OPT_OUTPUT] = {"output", "FILE", KIND_TEXT,
                    "where the JSON lines of outputs go",
                    .default_text = "standard output",
                    .offer.files = OFFER_ANY},
    [OPT_SLOTS] = {"slots", "N", KIND_WHOLE, "calls in flight at once",
                   .default_text = "what slots=N of the server says",
                   .least = 1, .most = 1024, .range = "from 1 to 1024"},
    [OPT_TEMPLATE] = {"template", "NAME", KIND_WORD,
                      "what to start from: " TEMPLATE_LIST,
                      .fallback = "minimal", .offer.words = TEMPLATE_WORDS},
    [OPT_LIMIT] = {"limit", "N", KIND_WHOLE, "show at most N rows",
                   .fallback = "5", .least = 1, .most = INT64_MAX,
                   .range = "above 0"},
    [OPT_ALL] = {"all", NULL, KIND_FLAG,
                 "also list workers that are gone, with their last fault"},
    [OPT_REMOVE] = {"remove", "ID", KIND_LIST,
                    "remove this job and its data from the store; repeatable",
                    .offer.jobs = true, .only_given = true},
    [OPT_FILE] = {"file", "FILE", KIND_TEXT,
                  "read the SQL from this file; - is standard input",
                  .offer.files = "sql"},
    [OPT_VERTICAL] =
        {"vertical", NULL, KIND_FLAG,
         "print one value per line, as happens anyway if a table does not fit"},
    [OPT_CSV] = {"csv", NULL, KIND_FLAG, "comma-separated values"},
    [OPT_JSON] = {"json", NULL, KIND_FLAG,
                  "print one JSON document on standard output"},
    [OPT_QUIET] = {"quiet", NULL, KIND_FLAG, "show no progress"},
    [OPT_COLOR] = {"color", "WHEN", KIND_WORD,
                   "whether to print in color: auto, always or never",
                   .default_text =
                       "auto: on a terminal, unless NO_COLOR is set",
                   .offer.words = "auto|always|never",
                   .more = "It may also come before the command."},
};

_Static_assert(OPTION_COUNT <= sizeof(option_set) * CHAR_BIT,
               "each option has a bit of a command's set");
