#include "cli/options.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "common/text.h"

enum { OPTIONS_MAX_BYTES = 1 << 20, OPTIONS_MAX_OPERANDS = 4096 };

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_LIST,  // repeatable; in the environment separated by blanks
    KIND_WHOLE, // a whole number
    KIND_COUNT, // with K and M
    KIND_TIME,
    KIND_SCORE,
};

struct option_row {
    const char *name;
    const char *argument; // of the help; NULL for a flag
    enum option_kind kind;
    const char *help;
    const char *env; // NULL: from the name
};

static const struct option_row rows[OPTION_COUNT] = {
    [OPT_STORE] = {"store", "FILE", KIND_TEXT,
                   "the history and all paid calls (default: promptcc.db "
                   "beside the job file)",
                   NULL},
    [OPT_OLLAMA] = {"ollama", "URL[,slots=N]", KIND_LIST,
                    "an Ollama server; repeatable (default: "
                    "http://localhost:11434)",
                    NULL},
    [OPT_OPENAI] = {"openai", "URL[,slots=N]", KIND_LIST,
                    "an OpenAI-compatible server (llama.cpp, vLLM, LM Studio); "
                    "repeatable",
                    NULL},
    [OPT_SIMULATE] = {"simulate", NULL, KIND_FLAG,
                      "a stand-in model server: to try things out; its scores "
                      "say nothing of a real model",
                      NULL},
    [OPT_OUT] = {"out", "FILE", KIND_TEXT,
                 "the compiled file (default: compiled.json beside the job "
                 "file)",
                 NULL},
    [OPT_OPTIMIZER] = {"optimizer", "NAME", KIND_TEXT,
                       "another optimizer than the job's", NULL},
    [OPT_SET] = {"set", "KEY=VALUE", KIND_LIST,
                 "any value of the job file, such as "
                 "optimizer.miprov2.auto=medium; repeatable",
                 NULL},
    [OPT_SEED] = {"seed", "N", KIND_WHOLE, "the optimizer's seed", NULL},
    [OPT_MAX_CALLS] = {"max-calls", "N", KIND_COUNT,
                       "budget in model calls (20000, 20K)", NULL},
    [OPT_MAX_TOKENS] = {"max-tokens", "N", KIND_COUNT, "budget in tokens (30M)",
                        NULL},
    [OPT_MAX_TIME] = {"max-time", "T", KIND_TIME,
                      "budget in time (90s, 60m, 2h)", NULL},
    [OPT_WAIT] = {"wait", "T", KIND_TIME,
                  "how long nothing may answer before the job pauses "
                  "(default: 20s at the start, 5m later)",
                  NULL},
    [OPT_AWAIT] = {"wait", NULL, KIND_FLAG,
                   "show progress and wait for the result", "PROMPTCC_AWAIT"},
    [OPT_CALL_TIMEOUT] = {"call-timeout", "T", KIND_TIME,
                          "hard limit of one model call (default: 10m)", NULL},
    [OPT_COORDINATOR] = {"coordinator", "tcp://HOST:PORT", KIND_TEXT,
                         "the coordinator of a cluster", NULL},
    [OPT_LISTEN] = {"listen", "tcp://HOST:PORT", KIND_TEXT,
                    "where to listen; port 0 picks one (default: "
                    "tcp://127.0.0.1:5570)",
                    NULL},
    [OPT_ALLOW_EXEC] = {"allow-exec", NULL, KIND_FLAG,
                        "let submitted jobs run the programs of their exec "
                        "metrics here",
                        NULL},
    [OPT_TRUST_NETWORK] = {"trust-network", NULL, KIND_FLAG,
                           "listen beyond loopback although nothing is "
                           "encrypted: only in a network of your own",
                           NULL},
    [OPT_NAME] = {"name", "NAME", KIND_TEXT,
                  "how the worker is called (default: host name and process "
                  "id)",
                  NULL},
    [OPT_EXCLUDE] = {"exclude", "N", KIND_LIST,
                     "go on without example N, as the message of the pause "
                     "names it; repeatable",
                     NULL},
    [OPT_COMPILED] = {"compiled", "FILE", KIND_TEXT,
                      "score the prompts of this file (default: the program "
                      "as written)",
                      NULL},
    [OPT_DATA] = {"data", "FILE", KIND_TEXT,
                  "score on every row of this file (default: the test share, "
                  "else the validation share)",
                  NULL},
    [OPT_ALL_STEPS] = {"all-steps", NULL, KIND_FLAG,
                       "run also the steps that the metric does not need",
                       NULL},
    [OPT_FAIL_BELOW] = {"fail-below", "X", KIND_SCORE,
                        "exit with 100 when the score is lower (0.8 or 80%)",
                        NULL},
    [OPT_INPUT] = {"input", "FILE", KIND_TEXT,
                   "JSON lines, one object of inputs each; - is standard "
                   "input",
                   NULL},
    [OPT_OUTPUT] = {"output", "FILE", KIND_TEXT,
                    "where the JSON lines of outputs go (default: standard "
                    "output)",
                    NULL},
    [OPT_SLOTS] = {"slots", "N", KIND_WHOLE,
                   "calls in flight at once (default: the server's slots=N)",
                   NULL},
    [OPT_TEMPLATE] = {"template", "NAME", KIND_TEXT,
                      "what to start from (default: minimal)", NULL},
    [OPT_LIMIT] = {"limit", "N", KIND_WHOLE, "at most so many rows", NULL},
    [OPT_JSON] = {"json", NULL, KIND_FLAG,
                  "one JSON document on standard output", NULL},
    [OPT_QUIET] = {"quiet", NULL, KIND_FLAG, "no progress", NULL},
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

// Parses text by the kind of row into value. False when it is none.
static bool read_value(const struct option_row *row, const char *text,
                       struct option_value *value)
{
    switch (row->kind) {
    case KIND_FLAG:
    case KIND_TEXT:
    case KIND_LIST:
        return row->kind == KIND_FLAG || text[0] != '\0';
    case KIND_WHOLE:
        return read_whole(text, &value->number);
    case KIND_COUNT:
        return text_count(text, &value->number);
    case KIND_TIME:
        return text_duration_ms(text, &value->number);
    case KIND_SCORE:
        return read_score(text, &value->score);
    }
    return false;
}

static const char *const kind_wants[] = {
    [KIND_FLAG] = "1 or 0",
    [KIND_TEXT] = "a text",
    [KIND_LIST] = "a text",
    [KIND_WHOLE] = "a whole number",
    [KIND_COUNT] = "a number such as 500, 20K or 3M",
    [KIND_TIME] = "a time such as 90s, 60m or 2h",
    [KIND_SCORE] = "a share such as 0.8 or 80%",
};

static bool add_value(struct options *out, enum option_id id, const char *shown,
                      const char *text, struct err *err)
{
    const struct option_row *row = &rows[id];
    struct option_value *value = &out->values[id];

    if (!read_value(row, text, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", shown,
                text, kind_wants[row->kind]);
        return false;
    }
    if (row->kind != KIND_LIST)
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
    if (text == NULL || (text[0] == '\0' && rows[id].kind != KIND_FLAG))
        return true;
    if (rows[id].kind == KIND_LIST)
        return add_words(out, id, env, text, err);
    if (rows[id].kind != KIND_FLAG)
        return add_value(out, id, env, text, err);
    if (!read_flag(text, &on)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", env, text,
                kind_wants[KIND_FLAG]);
        return false;
    }
    return !on || add_value(out, id, env, "1", err);
}

// What the command line did not say.
static bool read_environment(struct options *out,
                             char *(*getenv_fn)(const char *), struct err *err)
{
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((out->command->options & OPTION_BIT(id)) != 0 &&
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

static bool refuse_unknown(const struct options *out, const char *word,
                           struct err *err)
{
    const char *command = out->command->name;
    const char *names[OPTION_COUNT];
    char name[64];
    size_t n = 0, len = strcspn(word, "=");
    const char *near;

    (void)snprintf(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60), word);
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((out->command->options & OPTION_BIT(id)) != 0)
            names[n++] = rows[id].name;
    near = text_nearest(name, names, n);
    if (near != NULL)
        err_set(err, ERR_INPUT, "unknown option --%s, did you mean --%s?", name,
                near);
    else if (find_option(UINT64_MAX, name, strlen(name)) != OPTION_COUNT)
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

// word is behind the two dashes; *at is its place in argv and moves on when
// the value is the next word.
static bool read_option(struct options *out, int argc, char **argv, int *at,
                        struct err *err)
{
    const char *word = argv[*at] + 2;
    size_t len = strcspn(word, "=");
    enum option_id id = find_option(out->command->options, word, len);
    char shown[72];

    if (id == OPTION_COUNT)
        return refuse_unknown(out, word, err);
    (void)snprintf(shown, sizeof shown, "--%s", rows[id].name);
    if (rows[id].kind == KIND_FLAG) {
        bool on = true;

        if (word[len] == '=' && !read_flag(word + len + 1, &on)) {
            err_set(err, ERR_INPUT, "%s takes no value", shown);
            return false;
        }
        return !on || add_value(out, id, shown, "1", err);
    }
    if (word[len] == '=')
        return add_value(out, id, shown, word + len + 1, err);
    if (*at + 1 == argc) {
        err_set(err, ERR_INPUT, "%s needs %s (%s)", shown, rows[id].argument,
                kind_wants[rows[id].kind]);
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
                    "unknown option %.40s: options begin with two dashes",
                    word);
            return false;
        } else {
            out->operands[out->n_operands++] = word;
        }
    }
    return true;
}

static bool wants_help(int argc, char **argv)
{
    for (int at = 0; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
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

// Known early, so that mistakes in other options are told in JSON too.
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
    out->help = wants_help(argc, argv);
    if (out->help)
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

    return value->n == 0 ? NULL : value->texts[value->n - 1];
}

int64_t option_number(const struct options *options, enum option_id id,
                      int64_t otherwise)
{
    return options->values[id].n == 0 ? otherwise : options->values[id].number;
}

size_t option_list(const struct options *options, enum option_id id,
                   const char *const **out)
{
    *out = options->values[id].texts;
    return options->values[id].n;
}

// --- help ---

enum { HELP_COLUMN = 28, HELP_WIDTH = 78 };

// Words of text from column `at` on, wrapped at HELP_WIDTH.
static void put_wrapped(struct buf *out, const char *text, int at)
{
    for (bool first = true; *text != '\0'; first = false) {
        int len = (int)strcspn(text, " ");

        if (!first && at + 1 + len > HELP_WIDTH) {
            buf_printf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (!first) {
            buf_putc(out, ' ');
            at++;
        }
        buf_append(out, text, (size_t)len);
        at += len;
        text += len;
        text += strspn(text, " ");
    }
    buf_putc(out, '\n');
}

void options_help(uint64_t mask, struct buf *out)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = &rows[id];
        char head[64];

        if ((mask & OPTION_BIT(id)) == 0)
            continue;
        (void)snprintf(head, sizeof head, "  --%s%s%s", row->name,
                       row->argument == NULL ? "" : " ",
                       row->argument == NULL ? "" : row->argument);
        buf_printf(out, "%-*s", HELP_COLUMN, head);
        if (strlen(head) >= HELP_COLUMN)
            buf_printf(out, "\n%*s", HELP_COLUMN, "");
        put_wrapped(out, row->help, HELP_COLUMN);
    }
}
