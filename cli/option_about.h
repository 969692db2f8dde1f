// option_about: an option as it is described to people and to shells.

#ifndef CLI_OPTION_ABOUT_H
#define CLI_OPTION_ABOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/buf.h"

// What a shell offers for a value or an operand. All strings are static. NULL
// and false mean that it offers nothing of the kind.
struct offer {
    const char *words; // "auto|always|never"
    const char *files; // "yaml|yml": files with these endings, and folders;
                       // OFFER_ANY: all files; OFFER_FOLDER: only folders
    bool jobs;         // jobs in the store
    bool keys;         // keys of a job file (job_keys.h), followed by `=`
};
#define OFFER_ANY "any"
#define OFFER_FOLDER "/"

// A command's own description of an option: what the option does there, and its
// default there (NULL: none).
struct option_help {
    enum option_id id;
    const char *help; // NULL ends a list
    const char *default_text;
};

// An option as it is described to people and shells, for one command; NULL: as
// for most commands. All strings are static.
struct option_about {
    const char *name;     // without dashes
    const char *argument; // "FILE", "[=T]"; NULL: it takes none
    const char *help;
    const char *more;         // further sentences, too long for --help
    const char *default_text; // the default in words; NULL: none
    bool repeats;             // may be given more than once
    struct offer offer;       // its values
};
void option_describe(const struct command_entry *command, enum option_id id,
                     struct option_about *out);

// Writes the name of an option's environment variable; `name` holds at least 64
// bytes.
void option_env(enum option_id id, char *name, size_t size);

// Returns true if a message is about the option, by its name or by its value,
// and the value comes from the environment.
bool option_is_from_variable(const struct options *options, enum option_id id,
                             const char *text);

// Appends the options of a command for --help, in lines of at most `width`
// columns, with the defaults that apply.
void options_help(size_t width, const struct command_entry *command,
                  struct buf *out);

#endif
