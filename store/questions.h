// questions: recently stored last turns, so that a repeated one is not stored
// again.
//
// All candidates of a job are asked about the same examples. A turn that is
// found here is stored as its id alone. One that is not found gets a new id,
// and a second row if it was forgotten meanwhile, which costs its bytes and
// nothing else. So memory is bounded, whatever is asked: a table of
// QUESTIONS_KEPT places, in which each turn has one place and evicts the turn
// before it.
//
// Turns are found by SipHash under a key that is drawn when the store is
// opened, so that nobody can construct a turn that is mistaken for another. Not
// thread-safe.

#ifndef STORE_QUESTIONS_H
#define STORE_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "common/err.h"
#include "common/hash.h"

enum { QUESTIONS_KEPT = 1 << 15 }; // 24 bytes each

struct question_row {
    struct hash hash;
    int64_t id; // 0: none
};

struct questions {
    struct question_row *places; // owned; NULL before first use
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
    int64_t next_id;
};

#define QUESTIONS_INIT ((struct questions){.next_id = 1})

void questions_release(struct questions *questions);

// Returns the place of a turn and fills *hash with its hash. If place->hash
// equals it, place->id is the turn's id; otherwise the place is free or belongs
// to another turn. Returns NULL when out of memory.
struct question_row *questions_place(struct questions *questions,
                                     const char *text, size_t len,
                                     struct hash *hash, struct err *err);

#endif
