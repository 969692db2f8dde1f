// judge: what must be true of the store, whatever happened.
//
// The judge reads the store beside the coordinator, as anybody may, and checks
// every row as soon as it is durable:
//
//  1. An answer is the one that the model gives to that request, and is stored
//     once.
//  2. What was once seen as durable is there after every crash, unchanged.
//  3. A call whose answer is durable is not sent again, and no call is sent
//     that was made from an answer that is not durable yet.
//  4. An evaluation is the same as in the undisturbed run: no fault became a
//     score, and no answer went to the wrong row.
//
// Each function returns NULL, or says in words what is wrong.

#ifndef TESTS_SIMULATION_JUDGE_H
#define TESTS_SIMULATION_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

struct judge;

// If `learns`, this is the undisturbed run, and other runs are compared with
// what it finds.
struct judge *judge_new(bool learns);
void judge_free(struct judge *judge);

// Call judge_open after a start, when the store exists, and judge_close before
// the store goes away.
const char *judge_open(struct judge *judge, const char *path);
void judge_close(struct judge *judge);

// Reads what has become durable since the last look.
const char *judge_look(struct judge *judge);

// Call for each call that the coordinator sends.
const char *judge_sent(struct judge *judge, const struct call_message *call);

// Checks that all evaluations and trials of the undisturbed run are there, and
// no others.
const char *judge_end(struct judge *judge);

int64_t judge_calls(const struct judge *judge); // answers seen

#endif
