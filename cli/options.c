#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/option_table.h"
#include "cli/option_value.h"
#include "common/text.h"

enum { OPTIONS_MAX_BYTES = 1 << 20, OPTIONS_MAX_OPERANDS = 4096 };

static bool may_have_value(enum option_id id)
{
    return option_value_place(&option_rows[id]) == VALUE_MAYBE;
}

// Also one that may have a value.
static bool is_flag(enum option_id id)
{
    return option_value_place(&option_rows[id]) != VALUE_ALWAYS;
}

static bool add_value(struct options *out, enum option_id id, const char *shown,
                      const char *text, struct err *err)
{
    const struct option_row *row = &option_rows[id];
    struct option_value *value = &out->values[id];
    char can_be[OPTION_WANTS_BYTES];

    if (!option_value_take(row, text, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", shown,
                text, option_value_wants(row, can_be));
        return false;
    }
    if (!option_value_in_range(row, text, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s, %s", shown,
                text, option_value_wants(row, can_be), row->range);
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
    char env[64], can_be[OPTION_WANTS_BYTES];
    const char *text;
    bool on = false;

    option_env(id, env, sizeof env);
    text = getenv_fn(env);
    if (text == NULL || (text[0] == '\0' && !is_flag(id)))
        return true;
    if (option_rows[id].kind == KIND_LIST)
        return add_words(out, id, env, text, err);
    if (!is_flag(id))
        return add_value(out, id, env, text, err);
    if (!read_flag(text, &on)) {
        if (may_have_value(id))
            return add_value(out, id, env, text, err);
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", env, text,
                option_value_wants(&option_rows[id], can_be));
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
        if ((mask & OPTION_BIT(id)) != 0 &&
            strlen(option_rows[id].name) == len &&
            memcmp(option_rows[id].name, name, len) == 0)
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
            names[n++] = option_rows[id].name;
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
    char shown[72], can_be[OPTION_WANTS_BYTES];

    if (id == OPTION_COUNT)
        return refuse_unknown(out, word, err);
    (void)snprintf(shown, sizeof shown, "--%s", option_rows[id].name);
    if (is_flag(id)) {
        bool on = true;

        if (word[len] == '=' && !read_flag(word + len + 1, &on)) {
            if (may_have_value(id))
                return add_value(out, id, shown, word + len + 1, err);
            err_set(err, ERR_INPUT, "%s takes no value", shown);
            return false;
        }
        return !on || add_value(out, id, shown, "1", err);
    }
    if (word[len] == '=')
        return add_value(out, id, shown, word + len + 1, err);
    if (*at + 1 == argc) {
        err_set(err, ERR_INPUT, "%s needs %s (%s)", shown,
                option_rows[id].argument,
                option_value_wants(&option_rows[id], can_be));
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

    return value->n == 0 ? option_rows[id].fallback
                         : value->texts[value->n - 1];
}

int64_t option_number(const struct options *options, enum option_id id,
                      int64_t otherwise)
{
    struct option_value fallback = {.number = otherwise};

    if (options->values[id].n > 0)
        return options->values[id].number;
    if (option_rows[id].fallback != NULL)
        (void)option_value_take(&option_rows[id], option_rows[id].fallback,
                                &fallback);
    return fallback.number;
}

size_t option_list(const struct options *options, enum option_id id,
                   const char *const **out)
{
    *out = options->values[id].texts;
    return options->values[id].n;
}
