// sim_embed: the stand-in's embeddings, which turn a text into a direction.
//
// They are simulated and know only spelling. Each word is put in lower case,
// marked at both ends, and cut into pieces of three characters. Each piece is
// hashed to one of SIM_EMBED_SIZE numbers, which goes up or down by one. The
// result is scaled to length 1. So texts that share stems are near each other
// ("deliver", "delivery", "undelivered"), whatever the order of their words,
// but synonyms are not. The model's name is part of the hash, so that another
// model gives other numbers, as it should.
//
// Pure and thread-safe.

#ifndef SIMULATED_SIM_EMBED_H
#define SIMULATED_SIM_EMBED_H

#include <stdbool.h>
#include <stddef.h>

enum { SIM_EMBED_SIZE = 256 };

// Writes an embedding of length 1. Texts that share words are near each other;
// a text without words gets a direction all the same.
void sim_embed(const char *model, const char *text, size_t len,
               double out[SIM_EMBED_SIZE]);

// Returns true if a model of that name embeds and does not chat, such as
// "all-minilm", "nomic-embed-text" or "bge-m3".
bool sim_embeds(const char *model);

#endif
