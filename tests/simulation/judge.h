// judge: what must hold of the store, whatever happened.
//
// It reads the store beside the coordinator, as anybody may, and looks at every
// row as soon as it is durable:
//
//  1. An answer is the one that the model gives to that request, and stands
//     there once.
//  2. What was seen as durable once is there after every crash, unchanged.
//  3. A call whose answer is durable is not sent again, and no call is sent
//  that
//     is made of an answer that is not durable yet.
//  4. An evaluation says what it says in the undisturbed run: no fault became a
//     score, and no answer came to the wrong row.
//
// Each function gives NULL, or what is wrong, in words.

#ifndef TESTS_SIMULATION_JUDGE_H
#define TESTS_SIMULATION_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

struct judge;

// learns: this is the undisturbed run; what is found is the measure for others.
struct judge *judge_new(bool learns);
void judge_free(struct judge *judge);

// The store is there from now on, after a start; and it is about to go.
const char *judge_open(struct judge *judge, const char *path);
void judge_close(struct judge *judge);

// Reads what has become durable since.
const char *judge_look(struct judge *judge);

// The coordinator sends this call.
const char *judge_sent(struct judge *judge, const struct call_message *call);

// All of the undisturbed run's evaluations and trials are here, and no others.
const char *judge_end(struct judge *judge);

int64_t judge_calls(const struct judge *judge); // answers seen

#endif
