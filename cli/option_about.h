// option_about: an option as it is told to people and to shells.

#ifndef CLI_OPTION_ABOUT_H
#define CLI_OPTION_ABOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/buf.h"

// What a shell offers for a value or an operand. All static; NULL and false:
// nothing of the kind.
struct offer {
    const char *words; // "auto|always|never"
    const char *files; // "yaml|yml": files that end so, and folders;
                       // OFFER_ANY: all files; OFFER_FOLDER: folders alone
    bool jobs;         // of the store
    bool keys;         // of a job file (job_keys.h), with `=` behind
};
#define OFFER_ANY "any"
#define OFFER_FOLDER "/"

// What a command says of an option in words of its own: what it does there, and
// its default there (NULL: none).
struct option_told {
    enum option_id id;
    const char *help; // NULL ends a list
    const char *otherwise;
};

// An option as it is told to people and shells, as the command has it; NULL: as
// most have it. All static.
struct option_about {
    const char *name;     // without its dashes
    const char *argument; // "FILE", "[=T]"; NULL: it takes none
    const char *help;
    const char *more;      // whole sentences behind it, too long for --help
    const char *otherwise; // the default in words; NULL: none
    bool repeats;          // may be given several times
    struct offer offer;    // its values
};
void option_tell(const struct command_entry *command, enum option_id id,
                 struct option_about *out);

// The environment variable of an option; name holds at least 64 bytes.
void option_env(enum option_id id, char *name, size_t size);

// The options of a command for --help in lines of at most width columns, with
// the defaults that are used.
void options_help(size_t width, const struct command_entry *command,
                  struct buf *out);

#endif
