// sim_odds: how likely the tokens of a reply were, in the form that servers
// use.
//
// This is all that a model server says about a reply's tokens, in the form that
// Ollama and the OpenAI-compatible servers share. A token is about four bytes.
// Tokens of the reply's form are certain. A token of a label is as likely as
// all labels that continue with it, by the same odds that the label was drawn
// from at temperature 1.

#ifndef SIMULATED_SIM_ODDS_H
#define SIMULATED_SIM_ODDS_H

#include <stddef.h>

#include "common/buf.h"

#include "simulated/sim_ask.h"

// Appends the list of a reply's tokens, each with at most `top` alternatives,
// which include the token itself.
void sim_odds_put(const struct sim_ask *ask, const char *reply, size_t len,
                  size_t top, struct buf *out);

#endif
