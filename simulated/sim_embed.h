// sim_embed: the stand-in's embeddings: a text in, a direction out.
//
// Simulated, and no more than spelling: each word, in lower case and between
// marks for its ends, is cut into pieces of three characters; each piece is
// hashed to one of SIM_EMBED_SIZE numbers, which goes up or down by one; the
// whole is brought to length 1. So texts that share stems are near each other
// ("deliver", "delivery", "undelivered"), in any order of words, and synonyms
// are not. The model's name is part of the hash: another model has other
// numbers, as it should.
//
// Pure and thread-safe.

#ifndef SIMULATED_SIM_EMBED_H
#define SIMULATED_SIM_EMBED_H

#include <stdbool.h>
#include <stddef.h>

enum { SIM_EMBED_SIZE = 256 };

void sim_embed(const char *model, const char *text, size_t len,
               double out[SIM_EMBED_SIZE]);

// Whether a model of that name embeds, and does not chat: such as "all-minilm",
// "nomic-embed-text", "bge-m3".
bool sim_embeds(const char *model);

#endif
