// option_table: every option of every command as a row, for options.c and its
// neighbors.
//
// To add an option, add a value to enum option_id (options.h) and a row to
// option_table.c.

#ifndef CLI_OPTION_TABLE_H
#define CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/option_about.h"
#include "cli/options.h"

enum option_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_LIST,  // repeatable; separated by blanks in the environment
    KIND_LINES, // repeatable; in the environment one value, blanks and all
    KIND_WHOLE, // a whole number
    KIND_COUNT, // with K and M
    KIND_TIME,
    KIND_MAYBE_TIME,  // a flag that takes an optional time after `=`
    KIND_MAYBE_WHOLE, // the same with a whole number
    KIND_MAYBE_PORTS, // the same with ports: 11434-11449,8080
    KIND_SCORE,
    KIND_WORD,     // one of the words in `offer`
    KIND_ENDPOINT, // tcp://HOST:PORT
};

struct option_row {
    const char *name;
    const char *argument; // in the help; NULL for a flag
    enum option_kind kind;
    const char *help;
    const char *fallback;     // the value if it is not given; NULL: none
    const char *default_text; // the default in words, if the fallback does not
                              // say it all
    const char *more;    // what else the reference says; NULL: nothing
    struct offer offer;  // what shells offer; KIND_WORD: its words
    const char *env;     // NULL: derived from the name
    int64_t least, most; // limits of a number or of milliseconds; 0: none
    const char *range;   // the limits in words
    bool dashes;         // its values themselves begin with dashes
    bool only_given;     // it has no variable: a command that loses something
                         // does so only for who asks for it
};

extern const struct option_row option_rows[OPTION_COUNT]; // by option_id

#endif
