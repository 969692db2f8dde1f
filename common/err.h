// err: why a function failed, for programs and for people.
//
// A function that can fail returns bool (or a pointer, NULL on failure) and
// takes a struct err * as its last argument. It fills it once, with err_set,
// where the failure is first known. On success it leaves it untouched, so calls
// chain with ||. The code is for programs; the text is one sentence for a
// person: what failed, where, and what to do.

#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_NOMEM,    // out of memory
    ERR_INPUT,    // the user's input is wrong: a file, an option, a model
    ERR_IO,       // disk or network error
    ERR_BUSY,     // somebody else holds it
    ERR_LIMIT,    // larger than one of our limits
    ERR_PROTOCOL, // a peer or a server sent something we cannot read
    ERR_STORE,    // SQLite failed
    ERR_FAULT,    // calls could not be served: the job is paused
    ERR_STOPPED,  // we were asked to stop
    ERR_BUDGET,   // the job's budget is used up
    ERR_DIFFERS,  // a replay made a different decision than the stored one
};

struct err {
    enum err_code code;
    char text[240];
};

#define ERR_CLEAR ((struct err){.code = ERR_NONE})

// Fills err, which may be NULL. The text is valid UTF-8, cut at 239 bytes
// (text_print). Every error passes through here, so this is the place for a
// breakpoint.
void err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Calls err_set with "no memory for WHAT".
void err_nomem(struct err *err, const char *what);

// Returns a stable lower-case word for the code, for JSON ("input", "store",
// ...).
const char *err_code_name(enum err_code code);

#endif
