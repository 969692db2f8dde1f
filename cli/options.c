#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/option_rules.h"
#include "cli/option_table.h"
#include "cli/option_value.h"
#include "common/text.h"

enum { OPTIONS_MAX_BYTES = 1 << 20, OPTIONS_MAX_OPERANDS = 4096 };

static bool may_have_value(enum option_id id)
{
    return option_value_place(&option_rows[id]) == VALUE_MAYBE;
}

// True also for one that may have a value.
static bool is_flag(enum option_id id)
{
    return option_value_place(&option_rows[id]) != VALUE_ALWAYS;
}

static bool is_repeatable(enum option_id id)
{
    return option_rows[id].kind == KIND_LIST ||
           option_rows[id].kind == KIND_LINES;
}

static bool keep_text(struct options *out, enum option_id id, const char *shown,
                      const char *text, struct err *err)
{
    struct option_value *value = &out->values[id];

    if (!is_repeatable(id))
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

// Sets an option without a value.
static bool switch_on(struct options *out, enum option_id id, const char *shown,
                      struct err *err)
{
    out->values[id].number = 0;
    return keep_text(out, id, shown, "", err);
}

static bool add_value(struct options *out, enum option_id id, const char *shown,
                      const char *text, struct err *err)
{
    const struct option_row *row = &option_rows[id];
    struct option_value *value = &out->values[id];
    char can_be[OPTION_WANTS_BYTES];

    if (!option_value_take(row, text, value)) {
        if (option_value_near(row, text, can_be))
            err_set(err, ERR_INPUT, "%s cannot be `%.60s`, did you mean `%s`?",
                    shown, text, can_be);
        else
            err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s", shown,
                    text, option_value_wants(row, can_be));
        return false;
    }
    if (!option_value_in_range(row, value)) {
        err_set(err, ERR_INPUT, "%s cannot be `%.60s`: it takes %s, %s", shown,
                text, option_value_wants(row, can_be), row->range);
        return false;
    }
    return keep_text(out, id, shown, text, err);
}

static option_set takes(const struct command_entry *command)
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
    char env[64];
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
    if (!read_flag(text, &on))
        return add_value(out, id, env, text, err);
    return !on || switch_on(out, id, env, err);
}

// Reads from the environment the options that the command line neither gives
// nor contradicts.
static bool read_environment(struct options *out,
                             char *(*getenv_fn)(const char *), struct err *err)
{
    for (int id = 0; id < OPTION_COUNT; id++) {
        if ((takes(out->command) & ~out->given & OPTION_BIT(id)) == 0)
            continue;
        out->values[id].n = 0;
        if (!option_rows[id].only_given &&
            !option_rules_conflict_with(out, (enum option_id)id) &&
            !add_environment(out, (enum option_id)id, getenv_fn, err))
            return false;
    }
    return true;
}

// --- the command line ---

// Returns the command's option of that name, or OPTION_COUNT if there is none.
static enum option_id find_option(option_set mask, const char *name, size_t len)
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
    return find_option(~(option_set)0, name, strlen(name));
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
                "its options",
                command, name, command);
    else
        err_set(err, ERR_INPUT,
                "unknown option --%s; `promptcc %s --help` lists its options",
                name, command);
    return false;
}

// Returns true for a second, different value, which would be silently dropped.
static bool has_other_value(const struct options *out, enum option_id id,
                            const char *text)
{
    return (out->given & OPTION_BIT(id)) != 0 && !is_repeatable(id) &&
           strcmp(out->values[id].texts[0], text) != 0;
}

static bool refuse_empty(enum option_id id, const char *shown, struct err *err)
{
    char can_be[OPTION_WANTS_BYTES];

    err_set(
        err, ERR_INPUT,
        "the value of %s is empty (it takes %s): is a shell variable not set?",
        shown, option_value_wants(&option_rows[id], can_be));
    return false;
}

// `text` is NULL for a flag alone.
static bool set_option(struct options *out, enum option_id id,
                       const char *shown, const char *text, struct err *err)
{
    if (text != NULL && text[0] == '\0')
        return refuse_empty(id, shown, err);
    if (has_other_value(out, id, text == NULL ? "" : text)) {
        err_set(err, ERR_INPUT,
                "%s is given twice with different values, and only one can "
                "count: leave one out",
                shown);
        return false;
    }
    out->given |= OPTION_BIT(id);
    return text == NULL ? switch_on(out, id, shown, err)
                        : add_value(out, id, shown, text, err);
}

// `next` is the word after a flag that may have a value, or NULL.
static bool set_flag(struct options *out, enum option_id id, const char *shown,
                     const char *next, struct err *err)
{
    struct option_value unused = {0};

    if (next != NULL && may_have_value(id) &&
        option_value_take(&option_rows[id], next, &unused)) {
        err_set(err, ERR_INPUT,
                "%s takes its value after an equals sign: %s=%.60s", shown,
                shown, next);
        return false;
    }
    return set_option(out, id, shown, NULL, err);
}

// Returns true for one of the command's own options: where a value should be,
// the value was forgotten.
static bool is_own_option(const struct options *out, const char *word)
{
    return strncmp(word, "--", 2) == 0 &&
           find_option(takes(out->command), word + 2, strcspn(word + 2, "=")) !=
               OPTION_COUNT;
}

static bool refuse_missing(enum option_id id, const char *shown,
                           const char *next, struct err *err)
{
    char can_be[OPTION_WANTS_BYTES];
    const char *wants = option_value_wants(&option_rows[id], can_be);

    if (next == NULL)
        err_set(err, ERR_INPUT, "%s needs %s (%s)", shown,
                option_rows[id].argument, wants);
    else
        err_set(err, ERR_INPUT,
                "%s needs %s (%s), but the option %.60s follows; if that is "
                "its value, write %s=%.60s",
                shown, option_rows[id].argument, wants, next, shown, next);
    return false;
}

// Reads the option at argv[*at]. Advances *at if its value is the next word.
static bool read_option(struct options *out, int argc, char **argv, int *at,
                        struct err *err)
{
    const char *word = argv[*at] + 2;
    const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
    size_t len = strcspn(word, "=");
    enum option_id id = find_option(takes(out->command), word, len);
    char shown[72];

    if (id == OPTION_COUNT)
        return refuse_unknown(out, word, err);
    (void)snprintf(shown, sizeof shown, "--%s", option_rows[id].name);
    if (word[len] == '=' && is_flag(id) && !may_have_value(id)) {
        err_set(err, ERR_INPUT,
                "%s takes no value: write it alone, or leave "
                "it out",
                shown);
        return false;
    }
    if (word[len] == '=')
        return set_option(out, id, shown, word + len + 1, err);
    if (is_flag(id))
        return set_flag(out, id, shown, next, err);
    if (next == NULL || (!option_rows[id].dashes && is_own_option(out, next)))
        return refuse_missing(id, shown, next, err);
    ++*at;
    return set_option(out, id, shown, next, err);
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

static enum options_ask find_help_or_version(int argc, char **argv)
{
    for (int at = 0; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            return OPTIONS_ASK_HELP;
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0)
            return OPTIONS_ASK_VERSION;
    }
    return OPTIONS_ASK_NOTHING;
}

// An empty name would be the beginning of every name.
static bool has_empty(const struct options *out)
{
    for (size_t i = 0; i < out->n_operands; i++)
        if (out->operands[i][0] == '\0')
            return true;
    return false;
}

static void explain_too_many(const struct options *out, struct err *err)
{
    const struct command_entry *command = out->command;

    if (strstr(command->usage, "...") != NULL)
        err_set(err, ERR_INPUT,
                "`promptcc %s` takes at most %d arguments, and %zu are given",
                command->name, command->max_operands, out->n_operands);
    else
        err_set(err, ERR_INPUT,
                "`promptcc %s` does not know what to do with `%.60s`; it takes "
                "%s",
                command->name, out->operands[command->max_operands],
                command->usage[0] == '\0' ? "options only" : command->usage);
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
                "an argument of `promptcc %s` is empty: is a shell variable "
                "not set?",
                command->name);
    else if (command->max_operands >= 0 && n > (size_t)command->max_operands)
        explain_too_many(out, err);
    else
        return true;
    return false;
}

// Looks for --json first, so that mistakes in other options are reported in
// JSON too.
static void look_for_json(struct options *out, int argc, char **argv,
                          char *(*getenv_fn)(const char *))
{
    struct err ignored = ERR_CLEAR;

    if ((out->command->options & OPTION_BIT(OPT_JSON)) == 0)
        return;
    (void)add_environment(out, OPT_JSON, getenv_fn, &ignored);
    for (int at = 0; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (strcmp(argv[at], "--json") == 0)
            (void)switch_on(out, OPT_JSON, "--json", &ignored);
}

bool options_read(struct options *out, const struct command_entry *command,
                  int argc, char **argv, char *(*getenv_fn)(const char *),
                  struct err *err)
{
    *out = (struct options){.arena = ARENA_INIT(OPTIONS_MAX_BYTES),
                            .command = command};
    out->asks = find_help_or_version(argc, argv);
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
           option_rules_check_conflicts(out, err) &&
           read_environment(out, getenv_fn, err) &&
           option_rules_check_needs(out, err) && check_operands(out, err);
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
                      int64_t default_number)
{
    struct option_value fallback = {.number = default_number};

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
