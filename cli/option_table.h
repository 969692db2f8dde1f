// option_table: every option of every command, a row each; for options.c and
// its neighbours.
//
// To add one: a value of enum option_id (options.h), and a row in
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
    bool dashes;          // its values begin with dashes themselves
};

extern const struct option_row option_rows[OPTION_COUNT]; // by option_id

#endif
