// err: why a function failed, for a program and for a person.
//
// A function that can fail returns bool (or a pointer, NULL on failure) and
// takes a struct err * as its last argument. It fills it once, by err_set,
// where the failure is first known, and leaves it untouched on success, so
// calls chain with ||. The code is for programs; the text is one sentence for
// a person: what, where, what to do.

#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_NOMEM,    // no memory
    ERR_INPUT,    // what the user gave is wrong: a file, an option, a model
    ERR_IO,       // disk or network said no
    ERR_BUSY,     // somebody else holds it
    ERR_LIMIT,    // larger than a cap that we set
    ERR_PROTOCOL, // a peer or a server sent what we cannot read
    ERR_STORE,    // SQLite failed
    ERR_FAULT,    // calls could not be served: the job is paused
    ERR_STOPPED,  // asked to stop
    ERR_BUDGET,   // the job's budget is used up
    ERR_DIFFERS,  // replay took another decision than the stored one
};

struct err {
    enum err_code code;
    char text[240];
};

#define ERR_CLEAR ((struct err){.code = ERR_NONE})

// Fills err, which may be NULL. The text is valid UTF-8, cut at 239 bytes
// (text_print). The one place where every error passes: break here.
void err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// err_set for "no memory for WHAT".
void err_nomem(struct err *err, const char *what);

// A stable lower-case word for code, for JSON ("input", "store", ...).
const char *err_code_name(enum err_code code);

#endif
