// options: what the command line and the environment ask for.
//
// All options of all commands are rows of one table (option_table.h): name,
// argument, kind, help. Each command has a mask that says which ones it takes.
// Every option has an environment variable, PROMPTCC_ and its name in capitals;
// the command line wins. Values are checked when they are read, so the getters
// cannot fail. Strings are borrowed from argv and the environment.
//
// Nothing that was given is silently dropped: two values are refused where only
// one can count, and so is whatever option_rules.h finds.

#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

struct command_entry;

enum option_id {
    OPT_STORE,
    OPT_OLLAMA,
    OPT_OPENAI,
    OPT_SIMULATE,
    OPT_OUT,
    OPT_OPTIMIZER,
    OPT_SET,
    OPT_SEED,
    OPT_MAX_CALLS,
    OPT_MAX_TOKENS,
    OPT_MAX_TIME,
    OPT_MAX_PROMPT_TOKENS,
    OPT_FROM,
    OPT_WAIT,  // wait for answers, at most T
    OPT_AWAIT, // `submit --wait[=T]`: wait for the result, at most T without
               // news
    OPT_CALL_TIMEOUT,
    OPT_COORDINATOR,
    OPT_LISTEN,
    OPT_KEYS,
    OPT_HTTP,
    OPT_HTTP_TOKEN,
    OPT_NOTIFY,
    OPT_ON_EVENT,
    OPT_ALLOW_EXEC,
    OPT_TRUST_NETWORK,
    OPT_NAME,
    OPT_IDLE,
    OPT_KEEP_ALIVE,
    OPT_HOURS,
    OPT_YIELD,
    OPT_RESTART_CMD,
    OPT_DISCOVER,
    OPT_LLAMA,
    OPT_LLAMA_SERVER,
    OPT_WORKERS,
    OPT_SBATCH,
    OPT_DRY_RUN,
    OPT_EXCLUDE,
    OPT_PRIORITY,
    OPT_MAX_WORKERS,
    OPT_COMPILED,
    OPT_DATA,
    OPT_ALL_STEPS,
    OPT_FAIL_BELOW,
    OPT_ROWS,
    OPT_JUNIT,
    OPT_FORMAT,
    OPT_STEP,
    OPT_REDUCE_FN,
    OPT_FIELD,
    OPT_SIZE,
    OPT_INPUT,
    OPT_OUTPUT,
    OPT_SLOTS,
    OPT_TEMPLATE,
    OPT_LIMIT,
    OPT_ALL,
    OPT_REMOVE,
    OPT_FILE,
    OPT_VERTICAL,
    OPT_CSV,
    OPT_JSON,
    OPT_QUIET,
    OPT_COLOR,
    OPTION_COUNT
};

// One bit per option. gcc and clang have a type of this width on 64-bit
// machines.
__extension__ typedef unsigned __int128 option_set;
#define OPTION_BIT(id) ((option_set)1 << (id))

// Groups that several commands take.
#define OPTIONS_SERVERS                                                        \
    (OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) | OPTION_BIT(OPT_SIMULATE))
#define OPTIONS_JOB                                                            \
    (OPTION_BIT(OPT_SET) | OPTION_BIT(OPT_OPTIMIZER) | OPTION_BIT(OPT_SEED) |  \
     OPTION_BIT(OPT_MAX_CALLS) | OPTION_BIT(OPT_MAX_TOKENS) |                  \
     OPTION_BIT(OPT_MAX_TIME) | OPTION_BIT(OPT_MAX_PROMPT_TOKENS) |            \
     OPTION_BIT(OPT_FROM))
#define OPTIONS_WAIT (OPTION_BIT(OPT_WAIT) | OPTION_BIT(OPT_CALL_TIMEOUT))
#define OPTIONS_HTTP (OPTION_BIT(OPT_HTTP) | OPTION_BIT(OPT_HTTP_TOKEN))
#define OPTIONS_NOTIFY (OPTION_BIT(OPT_NOTIFY) | OPTION_BIT(OPT_ON_EVENT))
#define OPTIONS_PRINT (OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_QUIET))
// For a coordinator elsewhere.
#define OPTIONS_THERE (OPTION_BIT(OPT_COORDINATOR) | OPTION_BIT(OPT_KEYS))
#define OPTIONS_HISTORY (OPTION_BIT(OPT_STORE) | OPTIONS_THERE)

// What every command takes.
#define OPTIONS_ALL OPTION_BIT(OPT_COLOR)

enum { OPTION_MAX_VALUES = 256 }; // of a repeatable option

struct option_value {
    const char **texts; // in the arena; "" for an option without a value
    size_t n;
    int64_t number; // count or milliseconds, from the last text; 0 without one
    double score;   // OPT_FAIL_BELOW
};

// With --help or --version, nothing else is checked.
enum options_ask { OPTIONS_ASK_NOTHING, OPTIONS_ASK_HELP, OPTIONS_ASK_VERSION };

struct options {
    struct arena arena;
    const struct command_entry *command; // borrowed
    struct option_value values[OPTION_COUNT];
    option_set given; // those on the command line, as OPTION_BIT(...)
    const char **operands;
    size_t n_operands;
    enum options_ask asks;
};

// Reads argv[0..argc), which begins after the command's name. getenv_fn looks
// up the environment (getenv; tests pass their own). ERR_INPUT names the option
// and the nearest right one. Release `out` in any case. Its `json` is valid
// even on failure, so that the failure can be reported in JSON.
bool options_read(struct options *out, const struct command_entry *command,
                  int argc, char **argv, char *(*getenv_fn)(const char *),
                  struct err *err);
void options_release(struct options *options);

bool option_on(const struct options *options, enum option_id id);
// Returns the last value, or the option's default if it was not given, or NULL
// if it has no default.
const char *option_text(const struct options *options, enum option_id id);
// Returns the last value, or the option's default, or `default_number` if it
// has no default.
int64_t option_number(const struct options *options, enum option_id id,
                      int64_t default_number);
size_t option_list(const struct options *options, enum option_id id,
                   const char *const **out);

// Returns the option of that name, or OPTION_COUNT if there is none.
enum option_id option_named(const char *name);

#endif
