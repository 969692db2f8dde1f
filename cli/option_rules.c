#include "cli/option_rules.h"

#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"

struct option_rule {
    enum option_id id;
    option_set others;
    const char *commands; // "resume|plan"; NULL: all that take both
    const char *why;      // ends the sentence
};

// The commands that ask a history or a coordinator.
#define ASKING                                                                 \
    "best|diff|export|jobs|plan|query|report|resume|show|trials|workers"

// Each `id` contradicts each of the others.
static const struct option_rule apart[] = {
    {OPT_JSON, OPTION_BIT(OPT_CSV) | OPTION_BIT(OPT_VERTICAL), NULL,
     "each prints the result in a different form"},
    {OPT_CSV, OPTION_BIT(OPT_VERTICAL), NULL,
     "each prints the result in a different form"},
    {OPT_CSV, OPTION_BIT(OPT_REMOVE), NULL,
     "what was removed is printed as text, or as JSON with --json"},
    {OPT_SIMULATE,
     OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) |
         OPTION_BIT(OPT_COORDINATOR),
     "run|eval|plan|predict|serve", "the stand-in replaces all model servers"},
    {OPT_COORDINATOR, OPTION_BIT(OPT_STORE), NULL,
     "a coordinator has its own store"},
    {OPT_COORDINATOR, OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI),
     "plan|resume", "the workers of a cluster have their own model servers"},
    {OPT_COORDINATOR, OPTION_BIT(OPT_OUT) | OPTIONS_WAIT | OPTIONS_NOTIFY,
     "resume", "there a job continues as it was submitted"},
};

#define NOTIFIES_LATER                                                         \
    "only who waits can tell of events; `promptcc watch ID` takes it too"

// Each `id` has no effect without one of the others.
static const struct option_rule needs[] = {
    {OPT_HTTP_TOKEN, OPTION_BIT(OPT_HTTP), "run|coordinator",
     "without it there are no pages"},
    {OPT_OUTPUT, OPTION_BIT(OPT_INPUT), NULL,
     "one answer goes to standard output"},
    {OPT_STEP, OPTION_BIT(OPT_FORMAT), NULL, "a compiled file has all steps"},
    {OPT_OUT, OPTION_BIT(OPT_AWAIT), "submit",
     "without it, `promptcc export ID --out FILE` fetches the result later"},
    {OPT_NOTIFY, OPTION_BIT(OPT_AWAIT), "submit", NOTIFIES_LATER},
    {OPT_ON_EVENT, OPTION_BIT(OPT_AWAIT), "submit", NOTIFIES_LATER},
    {OPT_KEYS, OPTION_BIT(OPT_COORDINATOR), ASKING,
     "keys are for a coordinator"},
    {OPT_AWAIT, OPTION_BIT(OPT_COORDINATOR), "slurm",
     "a coordinator that Slurm starts waits anyway"},
};

// Each `id` is another way to say what the operands from the first on say.
struct operand_rule {
    enum option_id id;
    size_t first;
    const char *commands;
};

static const struct operand_rule instead[] = {
    {OPT_INPUT, 1, "predict"}, // FIELD=VALUE behind the compiled file
    {OPT_FILE, 0, "query"},    // SQL
};

// Returns true if `commands` is NULL or names the command.
static bool is_of(const char *commands, const struct command_entry *command)
{
    size_t len = strlen(command->name);

    if (commands == NULL)
        return true;
    for (const char *at = commands; *at != '\0';
         at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == len && memcmp(at, command->name, len) == 0)
            return true;
    return false;
}

// Returns the first option of a mask that is not empty.
static enum option_id first_of(option_set mask)
{
    int id = 0;

    while ((mask & OPTION_BIT(id)) == 0)
        id++;
    return (enum option_id)id;
}

bool option_rules_check_conflicts(const struct options *options,
                                  struct err *err)
{
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        const struct option_rule *rule = &apart[i];
        option_set both = options->given & rule->others;

        if ((options->given & OPTION_BIT(rule->id)) == 0 || both == 0 ||
            !is_of(rule->commands, options->command))
            continue;
        err_set(err, ERR_INPUT,
                "--%s and --%s contradict each other, so leave one of them "
                "out: %s",
                option_rows[rule->id].name, option_rows[first_of(both)].name,
                rule->why);
        return false;
    }
    return true;
}

bool option_rules_conflict_with(const struct options *options,
                                enum option_id id)
{
    for (size_t i = 0; i < sizeof instead / sizeof *instead; i++)
        if (instead[i].id == id && options->n_operands > instead[i].first &&
            is_of(instead[i].commands, options->command))
            return true;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        const struct option_rule *rule = &apart[i];
        bool is_one = (rule->others & OPTION_BIT(id)) != 0;

        if (!is_of(rule->commands, options->command))
            continue;
        if ((is_one && (options->given & OPTION_BIT(rule->id)) != 0) ||
            (rule->id == id && (options->given & rule->others) != 0))
            return true;
    }
    return false;
}

static bool is_any_on(const struct options *options, option_set mask)
{
    for (int id = 0; id < OPTION_COUNT; id++)
        if ((mask & OPTION_BIT(id)) != 0 && options->values[id].n > 0)
            return true;
    return false;
}

bool option_rules_check_needs(const struct options *options, struct err *err)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        const struct option_rule *rule = &needs[i];

        if ((options->given & OPTION_BIT(rule->id)) == 0 ||
            is_any_on(options, rule->others) ||
            !is_of(rule->commands, options->command))
            continue;
        err_set(err, ERR_INPUT, "--%s has no effect without --%s: %s",
                option_rows[rule->id].name,
                option_rows[first_of(rule->others)].name, rule->why);
        return false;
    }
    return true;
}
