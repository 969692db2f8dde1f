// key: who somebody is, for a coordinator that lets in only those it knows.
//
// A key is a pair of CURVE keys (Curve25519, 32 bytes each, written in Z85 as
// 40 characters), the role that it gives, and a name, which is that of the
// file. A folder of keys:
//
//     keys/coordinator.key      the coordinator's own; secret, mode 0600
//     keys/rack1.key            a worker's: to be moved to its machine; secret
//     keys/ann.key              a client's; secret
//     keys/allowed/rack1.pub    who may connect, without any secret
//     keys/allowed/ann.pub
//
// Each line of a .key file has a word and a value:
//
//     role worker
//     public rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
//     secret D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs
//     coordinator Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID
//
// The last one is the coordinator's public key: a peer talks to nobody else. A
// .pub file has only role and public. Lines that begin with # are for people.

#ifndef WIRE_KEY_H
#define WIRE_KEY_H

#include <stdbool.h>

#include "common/err.h"

// KEY_NONE means that there is no key, and everything is sent in the clear.
enum key_role { KEY_NONE, KEY_COORDINATOR, KEY_WORKER, KEY_CLIENT };

enum { KEY_BYTES = 41, KEY_NAME_BYTES = 65 };

struct key {
    enum key_role role;
    char name[KEY_NAME_BYTES];
    char public_key[KEY_BYTES];
    char secret[KEY_BYTES];      // "" in a .pub file
    char coordinator[KEY_BYTES]; // "" in the coordinator's own key
};

#define KEY_EMPTY ((struct key){.role = KEY_NONE})

// The folder that `promptcc keys` uses without --keys.
#define KEY_DEFAULT_FOLDER "keys"

enum { KEY_PLACE_BYTES = 72 };

// Writes what makes a `promptcc keys` command to copy work on that folder, such
// as " --keys 'my keys'": "" for the default, and " --keys DIR" if the path is
// too long to show.
void key_place(const char *folder, char out[static KEY_PLACE_BYTES]);

const char *key_role_name(enum key_role role); // "worker"
enum key_role key_role_of(const char *name);   // KEY_NONE: no such role

// A name has letters, digits, dots, dashes and underscores, at most 64 of them,
// and does not begin with a dot.
bool key_name_check(const char *name, struct err *err);

// Creates a new key. `coordinator` is "" for the coordinator's own key.
bool key_make(enum key_role role, const char *name, const char *coordinator,
              struct key *out, struct err *err);

// Writes the secret file, mode 0600, and the public one. An existing file is
// not replaced: that is ERR_INPUT.
bool key_write_secret(const char *path, const struct key *key, struct err *err);
bool key_write_public(const char *path, const struct key *key, struct err *err);

// Reads a file of either kind; the key's name is that of the file. A secret
// that anyone but its owner can read is refused, with the remedy. A file owned
// by root may be readable by its group, as in a container.
bool key_read(const char *path, struct key *out, struct err *err);

// Returns true if a file of that name, in a folder of keys, is one with that
// ending: ".key" for secret ones, ".pub" for public ones.
bool key_is_file(const char *name, const char *ending);

void key_wipe(struct key *key);

#endif
