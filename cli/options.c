#include "cli/options.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/forms.h"
#include "cli/servers.h"
#include "cli/wrap.h"
#include "common/text.h"
#include "wire/request.h"

enum { OPTIONS_MAX_BYTES = 1 << 20, OPTIONS_MAX_OPERANDS = 4096 };

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_LIST,  // repeatable; in the environment separated by blanks
    KIND_LINES, // repeatable; in the environment one, blanks and all
    KIND_WHOLE, // a whole number
    KIND_COUNT, // with K and M
    KIND_TIME,
    KIND_MAYBE_TIME,  // a flag that may have a time behind `=`
    KIND_MAYBE_WHOLE, // the same, a whole number
    KIND_MAYBE_PORTS, // the same, ports: 11434-11449,8080
    KIND_SCORE,
    KIND_WORD,     // one of `words`
    KIND_ENDPOINT, // tcp://HOST:PORT
};

struct option_row {
    const char *name;
    const char *argument; // of the help; NULL for a flag
    enum option_kind kind;
    const char *help;
    const char *fallback; // what counts when it is not given; NULL: nothing
    const char *told;     // the default in words, where a fallback is not all
    const char *more;     // what the reference tells further; NULL: nothing
    struct offer offer;   // what shells offer; KIND_WORD: its words
    const char *env;      // NULL: made of the name
    int64_t least, most;  // of a number or milliseconds; 0: any
    const char *range;    // the two in words
};

// What CALL can carry (docs/protocol.md): longer would have no effect.
#define TIME_MOST_MS ((int64_t)168 * 3600 * 1000)

// The folders that cli/CMakeLists.txt embeds.
#define TEMPLATE_WORDS                                                         \
    "minimal|customer_care|drug_interactions|intent_200|legal_clauses|"        \
    "product_metadata|support_unlabelled"

// "|screen_and_race|miprov2|..."
#define OPTIMIZER(name) "|" #name
static const char optimizer_words[] =
#include "search/optimizers/optimizers.def"
    ;
#undef OPTIMIZER

static const struct option_row rows[OPTION_COUNT] = {
    [OPT_STORE] =
        {"store", "FILE", KIND_TEXT,
         "the file with the history and every answer that was paid for",
         .told = "promptcc.db next to the job file, or in the "
                 "current folder if no job file is named",
         .offer.files = "db"},
    [OPT_OLLAMA] = {"ollama", "URL[,slots=N]", KIND_LIST,
                    "an Ollama server, and how many calls it works on at once "
                    "(1); repeatable",
                    .told = SERVERS_DEFAULT_OLLAMA},
    [OPT_OPENAI] = {"openai", "URL[,slots=N]", KIND_LIST,
                    "an OpenAI-compatible server (llama.cpp, vLLM, LM Studio); "
                    "repeatable"},
    [OPT_SIMULATE] = {"simulate", NULL, KIND_FLAG,
                      "use a stand-in for the model, to try things out; its "
                      "scores say nothing about a real model"},
    [OPT_OUT] = {"out", "FILE", KIND_TEXT, "where the compiled file goes",
                 .told = "compiled.json next to the job file",
                 .offer.files = OFFER_ANY},
    [OPT_OPTIMIZER] = {"optimizer", "NAME", KIND_TEXT,
                       "use this optimizer instead of the job's",
                       .offer.words = optimizer_words,
                       .more = "Its parameters have their defaults; `--set "
                               "optimizer.NAME.KEY=VALUE` sets them."},
    [OPT_SET] = {"set", "KEY=VALUE", KIND_LIST,
                 "set any value of the job file, such as "
                 "optimizer.miprov2.auto=medium; repeatable",
                 .offer.keys = true, .more = "VALUE is YAML."},
    [OPT_SEED] = {"seed", "N", KIND_WHOLE, "the optimizer's seed",
                  .told = "the job file's"},
    [OPT_MAX_CALLS] = {"max-calls", "N", KIND_COUNT,
                       "budget in model calls (20000, 20K)"},
    [OPT_MAX_TOKENS] = {"max-tokens", "N", KIND_COUNT,
                        "budget in tokens (30M)"},
    [OPT_MAX_TIME] = {"max-time", "T", KIND_TIME,
                      "budget in time (90s, 60m, 2h)", .least = 1,
                      .most = INT64_MAX, .range = "above 0"},
    [OPT_MAX_PROMPT_TOKENS] = {"max-prompt-tokens", "N", KIND_COUNT,
                               "tokens that a compiled prompt may have, the "
                               "question included",
                               .more = "It is `max_prompt_tokens` of the job."},
    [OPT_FROM] = {"from", "FILE|ID", KIND_TEXT,
                  "begin with a compiled program: a file, or a job of "
                  "--store",
                  .offer = {.files = "json", .jobs = true},
                  .more = "It is `from` of the job."},
    [OPT_WAIT] = {"wait", "T", KIND_TIME,
                  "wait at most T while nothing answers; then the job pauses",
                  .told = "20s at the start, 5m after the first answer",
                  .least = 1000, .most = TIME_MOST_MS,
                  .range = "from 1s to 168h"},
    [OPT_AWAIT] = {"wait", "[=T]", KIND_MAYBE_TIME,
                   "wait for the result and show progress; with =T at most T "
                   "while nothing answers",
                   .env = "PROMPTCC_AWAIT", .least = 1000, .most = TIME_MOST_MS,
                   .range = "from 1s to 168h",
                   .more = "Then it exits with 3, while the job goes on."},
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
                  .more = "Each side then knows the other."},
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
    [OPT_ON_EVENT] = {"on-event", "COMMAND", KIND_LINES,
                      "run a shell command at the same events, with the JSON "
                      "object as a line on its standard input and "
                      "PROMPTCC_EVENT set; repeatable",
                      .more =
                          "PROMPTCC_JOB and PROMPTCC_SCORE are set too. The "
                          "environment variable holds one command."},
    [OPT_ALLOW_EXEC] = {"allow-exec", NULL, KIND_FLAG,
                        "run the programs that submitted jobs, or a compiled "
                        "file, name in exec metrics and exec steps"},
    [OPT_TRUST_NETWORK] = {"trust-network", NULL, KIND_FLAG,
                           "listen beyond this machine without --keys and "
                           "unencrypted: only in a network of your own"},
    [OPT_NAME] = {"name", "NAME", KIND_TEXT, "what the worker is called",
                  .told = "host name and process id"},
    [OPT_IDLE] = {"idle", "T", KIND_TIME,
                  "end after T without a call to make, so that nobody pays for "
                  "an idle machine",
                  .least = 1000, .most = TIME_MOST_MS,
                  .range = "from 1s to 168h"},
    [OPT_KEEP_ALIVE] = {"keep-alive", "T", KIND_TEXT,
                        "how long Ollama keeps a model loaded after a call; 0 "
                        "unloads at once, -1 never",
                        .told = "30m"},
    [OPT_HOURS] = {"hours", "FROM-TO", KIND_TEXT,
                   "take calls only between these times of the day, such as "
                   "20-08 or 18:30-7"},
    [OPT_YIELD] = {"yield", "[=LOAD]", KIND_MAYBE_WHOLE,
                   "take no calls while others use the model server, or the "
                   "load average is above LOAD",
                   .told = "LOAD is the number of processors"},
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
                      .told = "PORTS are 11434-11449,8080",
                      .more =
                          "By default those are Ollama on the ports 11434 to "
                          "11449, and llama.cpp or an OpenAI-compatible server "
                          "on 8080."},
    [OPT_WORKERS] = {"workers", "N", KIND_WHOLE,
                     "how many workers to ask Slurm for", .fallback = "4",
                     .least = 1, .most = 10000, .range = "from 1 to 10000"},
    [OPT_SBATCH] = {"sbatch", "OPTION", KIND_LIST,
                    "an option of sbatch for the workers, such as "
                    "--partition=gpu; repeatable"},
    [OPT_DRY_RUN] = {"dry-run", NULL, KIND_FLAG,
                     "write the scripts and submit nothing"},
    [OPT_PRIORITY] =
        {"priority", "N", KIND_WHOLE,
         "the job's share of the slots while other jobs want them too",
         .fallback = "10", .least = 1, .most = 100, .range = "from 1 to 100",
         .more = "From 1 to 100; one of 20 has twice the share of one "
                 "of 10. It is kept with the job, and changes nothing "
                 "of what it finds; `resume ID --priority N` changes "
                 "it, also while the job runs."},
    [OPT_MAX_WORKERS] =
        {"max-workers", "N", KIND_WHOLE,
         "how many workers may have calls of the job at a time",
         .told = "all", .least = 1, .most = REQUEST_MAX_WORKERS,
         .range = "from 1 to 10000",
         .more = "From 1 to 10,000. The job keeps those that it has, so "
                 "that its prompts stay in their caches; the place of "
                 "one that leaves or falls silent is another's. It is "
                 "kept with the job, and nothing of what it finds "
                 "depends on it. `resume ID --max-workers N "
                 "--coordinator ...` changes it, also while the job "
                 "runs."},
    [OPT_EXCLUDE] = {"exclude", "N", KIND_LIST,
                     "go on without example N, the number that the pause "
                     "named; repeatable"},
    [OPT_COMPILED] = {"compiled", "FILE", KIND_TEXT,
                      "score the prompts of this file",
                      .told = "the program as written", .offer.files = "json"},
    [OPT_DATA] = {"data", "FILE", KIND_TEXT, "score on every row of this file",
                  .told = "the test share, else the validation share",
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
         "modelfile (Ollama), dspy (what DSPy itself saves) or markdown",
         .offer.words = FORM_WORDS},
    [OPT_STEP] = {"step", "NAME", KIND_TEXT, "only this step"},
    [OPT_REDUCE_FN] = {"reduce-fn", "HOW", KIND_WORD,
                       "how several answers become one: the one that most "
                       "give, or the one that the model names as the best",
                       .fallback = "majority", .offer.words = "majority|judge"},
    [OPT_FIELD] = {"field", "NAME", KIND_TEXT, "the output that is voted on",
                   .told = "the first that is a label, else the last"},
    [OPT_SIZE] = {"size", "N", KIND_WHOLE,
                  "take only the N programs with the best scores",
                  .told = "all of them", .least = 2, .most = 32,
                  .range = "from 2 to 32"},
    [OPT_JUNIT] = {"junit", "FILE", KIND_TEXT,
                   "write a JUnit XML report for CI, with a case for each row; "
                   "it passes with a full score, or with that of --fail-below",
                   .offer.files = OFFER_ANY,
                   .more =
                       "A case names its file and its line; a failure shows "
                       "inputs, labels, answer and the reason."},
    [OPT_INPUT] = {"input", "FILE", KIND_TEXT,
                   "the inputs, a row each, in any form that data may have "
                   "(JSON lines, JSON, CSV); - is standard input",
                   .offer.files = OFFER_ANY,
                   .more = "See docs/job-file.md for the forms."},
    [OPT_OUTPUT] = {"output", "FILE", KIND_TEXT,
                    "where the JSON lines of outputs go",
                    .told = "standard output", .offer.files = OFFER_ANY},
    [OPT_SLOTS] = {"slots", "N", KIND_WHOLE, "calls in flight at once",
                   .told = "what slots=N of the server says", .least = 1,
                   .most = 1024, .range = "from 1 to 1024"},
    [OPT_TEMPLATE] = {"template", "NAME", KIND_TEXT,
                      "what to start from: minimal, customer_care, "
                      "drug_interactions, intent_200, legal_clauses, "
                      "product_metadata or support_unlabelled",
                      .fallback = "minimal", .offer.words = TEMPLATE_WORDS},
    [OPT_LIMIT] = {"limit", "N", KIND_WHOLE, "show at most N rows",
                   .fallback = "5"},
    [OPT_ALL] = {"all", NULL, KIND_FLAG,
                 "also list workers that are gone, with their last fault"},
    [OPT_REMOVE] = {"remove", "ID", KIND_LIST,
                    "remove this job and its data from the store; repeatable",
                    .offer.jobs = true},
    [OPT_FILE] = {"file", "FILE", KIND_TEXT,
                  "read the SQL from this file; - is standard input",
                  .offer.files = "sql"},
    [OPT_VERTICAL] = {"vertical", NULL, KIND_FLAG,
                      "print one value a line, as happens anyway where a table "
                      "does not fit"},
    [OPT_CSV] = {"csv", NULL, KIND_FLAG, "comma-separated values"},
    [OPT_JSON] = {"json", NULL, KIND_FLAG,
                  "print one JSON document on standard output"},
    [OPT_QUIET] = {"quiet", NULL, KIND_FLAG, "show no progress"},
    [OPT_COLOR] = {"color", "WHEN", KIND_WORD,
                   "whether to print in color: auto, always or never",
                   .told = "auto: on a terminal, unless NO_COLOR is set",
                   .offer.words = "auto|always|never",
                   .more = "It may stand before the command too."},
};

_Static_assert(OPTION_COUNT <= 64,
               "the options of a command are a 64-bit mask");

void option_env(enum option_id id, char *name, size_t size)
{
    if (rows[id].env != NULL) {
        (void)snprintf(name, size, "%s", rows[id].env);
        return;
    }
    (void)snprintf(name, size, "PROMPTCC_%s", rows[id].name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

// --- values ---

static bool read_flag(const char *text, bool *out)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"", "0", "false", "no", "off"};

    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (strcmp(text, yes[i]) == 0) {
            *out = true;
            return true;
        }
    *out = false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (strcmp(text, no[i]) == 0)
            return true;
    return false;
}

static bool read_whole(const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

// "0.8" or "80%".
static bool read_score(const char *text, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end != text && strcmp(end, "%") == 0)
        value /= 100;
    else if (end == text || *end != '\0')
        return false;
    *out = value;
    return isfinite(value) && value >= 0 && value <= 1;
}

// True when text is one of the words, which are separated by `|`.
static bool is_word(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (; *words != '\0'; words += strcspn(words, "|"), words += *words == '|')
        if (strcspn(words, "|") == len && memcmp(words, text, len) == 0)
            return true;
    return false;
}

// "tcp://HOST:PORT". A port beyond 65535 would become another one.
static bool is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;

    return strncmp(text, "tcp://", 6) == 0 && colon > text + 6 &&
           read_whole(colon + 1, &port) && port <= UINT16_MAX;
}

// Parses text into value as the kind of row asks. False when it cannot be one.
static bool read_value(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    switch (row->kind) {
    case KIND_FLAG:
    case KIND_TEXT:
    case KIND_LIST:
    case KIND_LINES:
        return row->kind == KIND_FLAG || text[0] != '\0';
    case KIND_WHOLE:
        return read_whole(text, &value->number);
    case KIND_COUNT:
        return text_count(text, &value->number);
    case KIND_TIME:
        return text_duration_ms(text, &value->number);
    case KIND_MAYBE_TIME:
        return strcmp(text, "1") == 0 || text_duration_ms(text, &value->number);
    case KIND_MAYBE_WHOLE:
        return read_whole(text, &value->number);
    case KIND_MAYBE_PORTS:
        return strspn(text, "0123456789-,") == strlen(text);
    case KIND_SCORE:
        return read_score(text, &value->score);
    case KIND_WORD:
        return is_word(row->offer.words, text);
    case KIND_ENDPOINT:
        return is_endpoint(text);
    }
    return false;
}

static bool is_in_range(const struct option_row *row, const char *text,
                        const struct option_value *value)
{
    bool no_number = row->kind == KIND_MAYBE_TIME && strcmp(text, "1") == 0;

    return row->range == NULL || no_number ||
           (value->number >= row->least && value->number <= row->most);
}

static const char *const kind_wants[] = {
    [KIND_FLAG] = "1 or 0",
    [KIND_TEXT] = "a text",
    [KIND_LIST] = "a text",
    [KIND_LINES] = "a text",
    [KIND_WHOLE] = "a whole number",
    [KIND_COUNT] = "a number such as 500, 20K or 3M",
    [KIND_TIME] = "a time such as 90s, 60m or 2h",
    [KIND_MAYBE_TIME] = "nothing, or a time such as 90s, 60m or 2h",
    [KIND_MAYBE_WHOLE] = "nothing, or a whole number",
    [KIND_MAYBE_PORTS] = "nothing, or ports such as 11434-11449,8080",
    [KIND_SCORE] = "a share such as 0.8 or 80%",
    [KIND_ENDPOINT] = "tcp://HOST:PORT, with a port from 0 to 65535",
};

static bool may_have_value(const struct option_row *row)
{
    return row->kind == KIND_MAYBE_TIME || row->kind == KIND_MAYBE_WHOLE ||
           row->kind == KIND_MAYBE_PORTS;
}

static bool is_flag(const struct option_row *row)
{
    return row->kind == KIND_FLAG || may_have_value(row);
}

enum { WANTS_BYTES = 160 };

// What a value can be; of words all of them: "auto, always or never".
static const char *wants(const struct option_row *row, char out[WANTS_BYTES])
{
    size_t len = 0;

    if (row->kind != KIND_WORD)
        return kind_wants[row->kind];
    for (const char *at = row->offer.words; *at != '\0' && len < WANTS_BYTES;) {
        size_t word = strcspn(at, "|");
        bool last = at[word] == '\0';

        len += (size_t)snprintf(out + len, WANTS_BYTES - len, "%s%.*s",
                                len == 0 ? ""
                                : last   ? " or "
                                         : ", ",
                                (int)word, at);
        at += word + !last;
    }
    return out;
}

static bool add_value(struct options *out, enum option_id id, const char *shown,
                      const char *text, struct err *err)
{
    const struct option_row *row = &rows[id];
    struct option_value *value = &out->values[id];
    char can_be[WANTS_BYTES];

    if (!read_value(row, text, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", shown,
                text, wants(row, can_be));
        return false;
    }
    if (!is_in_range(row, text, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s, %s", shown,
                text, wants(row, can_be), row->range);
        return false;
    }
    if (row->kind != KIND_LIST && row->kind != KIND_LINES)
        value->n = 0;
    if (value->n == OPTION_MAX_VALUES) {
        err_set(err, ERR_INPUT, "%s was given more than %d times", shown,
                OPTION_MAX_VALUES);
        return false;
    }
    if (value->texts == NULL)
        value->texts =
            arena_array(&out->arena, OPTION_MAX_VALUES, sizeof *value->texts);
    if (value->texts == NULL) {
        err_nomem(err, "the options");
        return false;
    }
    value->texts[value->n++] = text;
    return true;
}

static uint64_t takes(const struct command_entry *command)
{
    return command->options | OPTIONS_ALL;
}

// --- the environment ---

static bool add_words(struct options *out, enum option_id id, const char *env,
                      const char *text, struct err *err)
{
    char *copy = arena_strdup(&out->arena, text);
    char *rest = NULL;

    if (copy == NULL) {
        err_nomem(err, "the options");
        return false;
    }
    for (char *word = strtok_r(copy, " \t\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\n", &rest))
        if (!add_value(out, id, env, word, err))
            return false;
    return true;
}

static bool add_environment(struct options *out, enum option_id id,
                            char *(*getenv_fn)(const char *), struct err *err)
{
    char env[64];
    const char *text;
    bool on = false;

    option_env(id, env, sizeof env);
    text = getenv_fn(env);
    if (text == NULL || (text[0] == '\0' && !is_flag(&rows[id])))
        return true;
    if (rows[id].kind == KIND_LIST)
        return add_words(out, id, env, text, err);
    if (!is_flag(&rows[id]))
        return add_value(out, id, env, text, err);
    if (!read_flag(text, &on)) {
        if (may_have_value(&rows[id]))
            return add_value(out, id, env, text, err);
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", env, text,
                kind_wants[KIND_FLAG]);
        return false;
    }
    return !on || add_value(out, id, env, "1", err);
}

// Reads from the environment what the command line did not give.
static bool read_environment(struct options *out,
                             char *(*getenv_fn)(const char *), struct err *err)
{
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((takes(out->command) & OPTION_BIT(id)) != 0 &&
            out->values[id].n == 0 &&
            !add_environment(out, (enum option_id)id, getenv_fn, err))
            return false;
    return true;
}

// --- the command line ---

// The command's option of that name; OPTION_COUNT when there is none.
static enum option_id find_option(uint64_t mask, const char *name, size_t len)
{
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((mask & OPTION_BIT(id)) != 0 && strlen(rows[id].name) == len &&
            memcmp(rows[id].name, name, len) == 0)
            return (enum option_id)id;
    return OPTION_COUNT;
}

enum option_id option_named(const char *name)
{
    return find_option(UINT64_MAX, name, strlen(name));
}

static bool refuse_unknown(const struct options *out, const char *word,
                           struct err *err)
{
    const char *command = out->command->name;
    const char *names[OPTION_COUNT];
    char name[64];
    size_t n = 0, len = strcspn(word, "=");
    const char *near;

    (void)text_print(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60),
                     word);
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((takes(out->command) & OPTION_BIT(id)) != 0)
            names[n++] = rows[id].name;
    near = text_nearest(name, names, n);
    if (near != NULL)
        err_set(err, ERR_INPUT, "unknown option --%s, did you mean --%s?", name,
                near);
    else if (option_named(name) != OPTION_COUNT)
        err_set(err, ERR_INPUT,
                "`promptcc %s` has no option --%s; `promptcc %s --help` lists "
                "what it takes",
                command, name, command);
    else
        err_set(err, ERR_INPUT,
                "unknown option --%s; `promptcc %s --help` lists what there is",
                name, command);
    return false;
}

// Reads the option at argv[*at]. *at moves on when its value is the next word.
static bool read_option(struct options *out, int argc, char **argv, int *at,
                        struct err *err)
{
    const char *word = argv[*at] + 2;
    size_t len = strcspn(word, "=");
    enum option_id id = find_option(takes(out->command), word, len);
    char shown[72], can_be[WANTS_BYTES];

    if (id == OPTION_COUNT)
        return refuse_unknown(out, word, err);
    (void)snprintf(shown, sizeof shown, "--%s", rows[id].name);
    if (is_flag(&rows[id])) {
        bool on = true;

        if (word[len] == '=' && !read_flag(word + len + 1, &on)) {
            if (may_have_value(&rows[id]))
                return add_value(out, id, shown, word + len + 1, err);
            err_set(err, ERR_INPUT, "%s takes no value", shown);
            return false;
        }
        return !on || add_value(out, id, shown, "1", err);
    }
    if (word[len] == '=')
        return add_value(out, id, shown, word + len + 1, err);
    if (*at + 1 == argc) {
        err_set(err, ERR_INPUT, "%s needs %s (%s)", shown, rows[id].argument,
                wants(&rows[id], can_be));
        return false;
    }
    return add_value(out, id, shown, argv[++*at], err);
}

static bool read_words(struct options *out, int argc, char **argv,
                       struct err *err)
{
    bool only_operands = false;

    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];

        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strncmp(word, "--", 2) == 0) {
            if (!read_option(out, argc, argv, &at, err))
                return false;
        } else if (!only_operands && word[0] == '-' && word[1] != '\0') {
            err_set(err, ERR_INPUT,
                    "unknown option %.40s: options begin with two dashes, "
                    "except for -h and -V",
                    word);
            return false;
        } else {
            out->operands[out->n_operands++] = word;
        }
    }
    return true;
}

static enum options_ask find_ask(int argc, char **argv)
{
    for (int at = 0; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            return OPTIONS_ASK_HELP;
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0)
            return OPTIONS_ASK_VERSION;
    }
    return OPTIONS_ASK_NOTHING;
}

// An empty name is the beginning of every name.
static bool has_empty(const struct options *out)
{
    for (size_t i = 0; i < out->n_operands; i++)
        if (out->operands[i][0] == '\0')
            return true;
    return false;
}

static bool check_operands(const struct options *out, struct err *err)
{
    const struct command_entry *command = out->command;
    size_t n = out->n_operands;

    if (n < (size_t)command->min_operands)
        err_set(err, ERR_INPUT, "`promptcc %s` needs %s; for example: %.120s",
                command->name, command->usage, command->example);
    else if (has_empty(out))
        err_set(err, ERR_INPUT,
                "an argument of `promptcc %s` is empty: is a variable of the "
                "shell not set?",
                command->name);
    else if (command->max_operands >= 0 && n > (size_t)command->max_operands)
        err_set(err, ERR_INPUT,
                "`promptcc %s` does not know what to do with `%.60s`; it takes "
                "%s",
                command->name, out->operands[command->max_operands],
                command->usage[0] == '\0' ? "options only" : command->usage);
    else
        return true;
    return false;
}

// Looked for first, so that mistakes in other options are also told in JSON.
static void look_for_json(struct options *out, int argc, char **argv,
                          char *(*getenv_fn)(const char *))
{
    struct err ignored = ERR_CLEAR;

    if ((out->command->options & OPTION_BIT(OPT_JSON)) == 0)
        return;
    (void)add_environment(out, OPT_JSON, getenv_fn, &ignored);
    for (int at = 0; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (strcmp(argv[at], "--json") == 0)
            (void)add_value(out, OPT_JSON, "--json", "1", &ignored);
}

bool options_read(struct options *out, const struct command_entry *command,
                  int argc, char **argv, char *(*getenv_fn)(const char *),
                  struct err *err)
{
    *out = (struct options){.arena = ARENA_INIT(OPTIONS_MAX_BYTES),
                            .command = command};
    out->asks = find_ask(argc, argv);
    if (out->asks != OPTIONS_ASK_NOTHING)
        return true;
    if (argc > OPTIONS_MAX_OPERANDS) {
        err_set(err, ERR_INPUT, "more than %d words on the command line",
                OPTIONS_MAX_OPERANDS);
        return false;
    }
    out->operands =
        arena_array(&out->arena, (size_t)argc + 1, sizeof *out->operands);
    if (out->operands == NULL) {
        err_nomem(err, "the options");
        return false;
    }
    look_for_json(out, argc, argv, getenv_fn);
    return read_words(out, argc, argv, err) &&
           read_environment(out, getenv_fn, err) && check_operands(out, err);
}

void options_release(struct options *options)
{
    arena_release(&options->arena);
}

// --- getters ---

bool option_on(const struct options *options, enum option_id id)
{
    return options->values[id].n > 0;
}

const char *option_text(const struct options *options, enum option_id id)
{
    const struct option_value *value = &options->values[id];

    return value->n == 0 ? rows[id].fallback : value->texts[value->n - 1];
}

int64_t option_number(const struct options *options, enum option_id id,
                      int64_t otherwise)
{
    struct option_value fallback = {.number = otherwise};

    if (options->values[id].n > 0)
        return options->values[id].number;
    if (rows[id].fallback != NULL)
        (void)read_value(&rows[id], rows[id].fallback, &fallback);
    return fallback.number;
}

size_t option_list(const struct options *options, enum option_id id,
                   const char *const **out)
{
    *out = options->values[id].texts;
    return options->values[id].n;
}

// --- help ---

enum { HELP_INDENT = 28, HELP_BYTES = 1024 };

void option_tell(const struct command_entry *command, enum option_id id,
                 struct option_about *out)
{
    const struct option_row *row = &rows[id];

    *out = (struct option_about){
        .name = row->name,
        .argument = row->argument,
        .help = row->help,
        .more = row->more,
        .otherwise = row->told != NULL ? row->told : row->fallback,
        .repeats = row->kind == KIND_LIST || row->kind == KIND_LINES,
        .offer = row->offer};
    for (const struct option_told *told = command == NULL ? NULL
                                                          : command->told;
         told != NULL && told->help != NULL; told++)
        if (told->id == id) {
            out->help = told->help;
            out->more = NULL; // what is told of it elsewhere
            out->otherwise = told->otherwise;
        }
}

static void put_help(size_t width, const struct option_about *about,
                     struct buf *out)
{
    struct buf text = BUF_INIT(HELP_BYTES);
    char name[64];

    (void)snprintf(name, sizeof name, "--%s%s%s", about->name,
                   about->argument == NULL || about->argument[0] == '[' ? ""
                                                                        : " ",
                   about->argument == NULL ? "" : about->argument);
    buf_puts(&text, about->help);
    if (about->otherwise != NULL)
        buf_printf(&text, " (default: %s)", about->otherwise);
    if (text.data != NULL)
        wrap_pair(width, HELP_INDENT, name, text.data, out);
    buf_release(&text);
}

void options_help(size_t width, const struct command_entry *command,
                  struct buf *out)
{
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++)
        if ((takes(command) & OPTION_BIT(id)) != 0) {
            option_tell(command, (enum option_id)id, &about);
            put_help(width, &about, out);
        }
    wrap_pair(width, HELP_INDENT, "--help, -h", "show this help", out);
    wrap_pair(width, HELP_INDENT, "--version, -V", "print the version", out);
}
