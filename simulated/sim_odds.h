// sim_odds: how likely the tokens of a reply were, as servers tell it.
//
// All that a model server says of a reply's tokens, in the form that Ollama and
// the OpenAI-compatible servers share. A token is some four bytes. Those of the
// form are certain; those of a label are as likely as the labels that go on
// like it, by the very odds that the label was drawn from at temperature 1.

#ifndef SIMULATED_SIM_ODDS_H
#define SIMULATED_SIM_ODDS_H

#include <stddef.h>

#include "common/buf.h"

#include "simulated/sim_ask.h"

// Appends the list of a reply's tokens, each with at most `top` alternatives,
// the token itself among them.
void sim_odds_put(const struct sim_ask *ask, const char *reply, size_t len,
                  size_t top, struct buf *out);

#endif
