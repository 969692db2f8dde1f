// student: the model server that runs a compiled program.

#ifndef PREDICT_STUDENT_H
#define PREDICT_STUDENT_H

#include <stdbool.h>

#include "common/err.h"
#include "model/model.h"
#include "program/run/compiled.h"

// What the server reported when it was opened.
struct student {
    struct model_client *client; // owned
    bool simulated;              // a stand-in answers instead of a model
    char warning[200]; // "" if the file was compiled for exactly this model
};

// Asks the server whether it has the models of the file, for at most 5 s.
// ERR_FAULT: the server does not answer; ERR_INPUT: it lacks the model.
bool student_open(const struct compiled *compiled,
                  const struct model_address *address, struct student *out,
                  struct err *err);
void student_close(struct student *student);

#endif
