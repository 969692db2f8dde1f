// message: what coordinator, workers and clients say to each other.
//
// A message is one MessagePack map, described byte by byte in docs/protocol.md.
// A ZeroMQ frame holds one message, or several in a row if the reader has said
// that it can read them (outbox.h). Every peer opens with HELLO; the
// coordinator answers WELCOME or REFUSED. A reader ignores keys that it does
// not know. Missing keys read as zero or "" unless the table in message_kinds.c
// marks them required. So a field may be added without raising WIRE_VERSION.
// Numbers out of range, wrong types, and texts with NUL or beyond their cap
// make a frame invalid.
//
// message.c encodes and decodes all kinds alike, by their tables.
//
// To add a field, add a member to the struct here, a row to its table in
// message_kinds.c, which also describes it for people (scripts/reference.py
// writes that into docs/protocol.md), and a case to test_message.c.
//
// To add a message, add a value at the end of enum message_kind, its struct and
// its place in struct message here; and in message_kinds.c its fields and its
// row, which also says who may send it and what it costs the sender. Then add a
// handler where it arrives: a row in coordinator/inbox.c, worker/orders.c or
// client/client.c.

#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"

struct field_table;

enum { WIRE_VERSION = 3 };
enum {
    WIRE_MAX_BYTES = 64 << 20,    // of a message
    WIRE_FRAME_BYTES = 64 << 10,  // of a frame to the coordinator; a longer
                                  // message goes there in PARTs
    WIRE_PART_BYTES = 60 << 10,   // of the message that one PART carries
    WIRE_MAX_TEXT = 32 << 20,     // of one text or binary in a frame
    WIRE_MAX_MODELS = 256,        // models in a HELLO
    WIRE_KEY_BYTES = 16,          // the key of a call
    WIRE_MAX_KEPT = 512,          // keys of kept calls in a HELLO
    WIRE_MAX_PREFIXES = 32,       // kept by a worker (prefixes.h)
    WIRE_PREFIX_BYTES = 64 << 10, // of one of them, at most
    WIRE_MAX_HELD = 1536,         // leases in a HEARTBEAT
    WIRE_LEASE_BYTES = 8,         // of one of them
    WIRE_MAX_FILES = 256,         // files in a SUBMIT
};
// Ids from here on belong to calls that a worker shows when it joins
// (docs/protocol.md): a few, beyond its credit.
#define WIRE_PROOF_ID ((int64_t)1 << 62)
enum { WIRE_HEARTBEAT_MS = 1000 }; // both ways
// Missed heartbeats until a worker is silent to the coordinator, or the
// coordinator is lost to a client. A worker waits for longer (worker/pulse.h).
enum { WIRE_LIVENESS = 3 };
enum { WIRE_IDLE_MAX_MS = 40000 }; // for a worker without calls

enum message_kind {
    MESSAGE_HELLO,     // any peer -> coordinator, first
    MESSAGE_WELCOME,   // coordinator -> peer
    MESSAGE_REFUSED,   // coordinator -> peer, and the connection is over
    MESSAGE_HEARTBEAT, // both ways
    MESSAGE_CALL,      // coordinator -> worker, with a lease
    MESSAGE_CANCEL,    // coordinator -> worker: the answer is not wanted
    MESSAGE_ANSWER,    // worker -> coordinator
    MESSAGE_FAULT,     // worker -> coordinator: the call goes back
    MESSAGE_GOODBYE,   // peer -> coordinator: takes no more calls
    MESSAGE_SUBMIT,    // client -> coordinator: a job in a bundle
    MESSAGE_ACCEPTED,  // coordinator -> client: its id
    MESSAGE_PROGRESS,  // coordinator -> client, a few per second
    MESSAGE_RESULT,    // coordinator -> client, the last one about a job
    MESSAGE_COMMAND,   // client -> coordinator: jobs, show, stop, resume
    MESSAGE_REPLY,     // coordinator -> client: JSON
    MESSAGE_PART,      // any peer -> coordinator: a piece of a long message
};
enum { MESSAGE_KIND_COUNT = MESSAGE_PART + 1 };

enum peer_role { PEER_WORKER = 0, PEER_CLIENT = 1 };
enum { PEER_ROLE_COUNT = PEER_CLIENT + 1 };

// Who may send a message: a set of flags.
enum message_sender {
    FROM_WORKER = 1 << PEER_WORKER,
    FROM_CLIENT = 1 << PEER_CLIENT,
    FROM_COORDINATOR = 4,
    FROM_ANY = FROM_WORKER | FROM_CLIENT | FROM_COORDINATOR,
};

// A model that a worker can serve.
struct wire_model {
    const char *name;
    const char *digest; // 64 hex digits, or "" if the server has none
    int64_t context;    // most tokens it can take, or 0 if unknown
    const char *quantization;
};

struct hello {
    int64_t version; // WIRE_VERSION; any other is refused
    int64_t role;    // enum peer_role
    const char *name;
    int64_t epoch; // random, fresh each time the peer starts or reconnects
    int64_t slots; // calls that its server works on at once, 1..1024
    const char *software; // "promptcc 0.1.0"
    const char *backend;  // "ollama", "openai"
    const char *server;   // the server's own version
    int64_t simulated;    // 1 if the server is the stand-in
    struct wire_model *models;
    size_t n_models;
    // The keys of calls from before that the worker still works on or has
    // answered, WIRE_KEY_BYTES each.
    const char *kept;
    size_t kept_len;
    int64_t several;  // 1: reads frames of several messages
    int64_t prefixes; // how many prefixes of calls a worker keeps
    int64_t instance; // of a worker: random, fixed while it runs; 0: unknown
    int64_t greeting; // how many it has sent, including this one
};

struct welcome {
    int64_t heartbeat_ms;
    int64_t idle_ms;  // of a worker: as in a heartbeat
    const char *name; // the name that the coordinator will use for the peer
    int64_t several;  // 1: reads frames of several messages
};

struct refused {
    // "version", "digest", "name", "full"; "hello": greet first (a restarted
    // coordinator does not know its peers); "frame": not a valid message
    const char *code;
    const char *text; // one sentence with the remedy
};

struct heartbeat {
    // From a worker: all leases that it has, WIRE_LEASE_BYTES each, the high
    // byte first. NULL: it does not say.
    const char *held;
    size_t held_len;
    // Time between two heartbeats of a worker that holds no call: what the
    // coordinator asks for, or what the worker will keep to. 0: as for any
    // other peer.
    int64_t idle_ms;
    // From a worker: leases of CALLs that it could not take, because it does
    // not know the prefix that they name.
    const char *lacks;
    size_t lacks_len;
    int64_t waits;   // 1, from a client: it waits for the result of a job
    int64_t unknown; // 1, to such a client: no such job is known here
};

struct call_message {
    int64_t id; // the lease; no later coordinator uses it again
    int64_t timeout_ms;
    const char *digest; // of the model, as pinned by the job
    struct call_request request;
    // Identifies the question: a worker that works on it or has answered it
    // need not ask it again. WIRE_KEY_BYTES, or 0.
    const char *key;
    size_t key_len;
    // Hash of the request's prefix, which is "" if the worker has it
    // (prefixes.h). A length of 0 means that the prefix has no name.
    const char *prefix_name;
    size_t prefix_name_len;
};

struct cancel {
    int64_t id;
};

struct answer_message {
    int64_t id;
    struct call_answer answer; // after decoding, its texts are in the arena
};

struct fault_message {
    int64_t id;
    int64_t fault; // enum call_fault
    const char *text;
};

struct goodbye {
    int64_t open; // calls whose answers still follow; 0: it is gone
};

// One file of a bundle (program/job/bundle.h).
struct wire_file {
    const char *name;
    const char *data;
    size_t len;
};

struct submit {
    const char *action;      // "run", "eval"
    const char *options;     // JSON object, see wire/request.h
    const char *folder;      // of the job on this machine; "": from elsewhere
    struct wire_file *files; // the first one is the job file
    size_t n_files;
};

struct accepted {
    const char *job;
    const char *note; // one sentence, or ""
};

// How far a job is (docs/protocol.md, PROGRESS).
struct progress {
    const char *job;
    const char *phase;
    const char *note; // one sentence, or ""
    int64_t trial, trials;
    int64_t done, total; // examples of the current phase
    // Examples run afresh in the whole job: done so far, and expected in total
    // (0: unknown).
    int64_t examples, expected;
    double share; // done of the whole job, 0 to 1; < 0: unknown
    int64_t calls, reused, in_flight, faults;
    int64_t prompt_tokens, generated_tokens;
    int64_t workers, slots;
    double best, best_low, best_high; // fractions; best < 0: none yet
    int64_t best_trial;               // its number; 0: none yet, or no trial
    double baseline;                  // < 0: none yet
    double tokens_per_s;
    int64_t elapsed_ms;
    int64_t left_ms; // estimate; -1: unknown
};

struct result {
    const char *job;
    int64_t status;       // the exit status (docs/command-line.md)
    const char *document; // JSON: what `run --json` prints
    const char *compiled; // the bytes of the compiled file, "" if there is none
};

struct command {
    const char *verb; // "jobs", "show", "stop", "resume", "workers"
    const char *job;
    const char *argument; // JSON object or ""
};

struct reply {
    const char *document; // JSON; {"error": ...} on failure
};

// A piece of an encoded message that is longer than WIRE_FRAME_BYTES
// (wire/assembly.h).
struct part {
    int64_t of; // bytes of the whole message
    int64_t at; // offset of this piece in it
    const char *data;
    size_t len;
};

struct message {
    enum message_kind kind;
    union {
        struct hello hello;
        struct welcome welcome;
        struct refused refused;
        struct heartbeat heartbeat;
        struct call_message call;
        struct cancel cancel;
        struct answer_message answer;
        struct fault_message fault;
        struct goodbye goodbye;
        struct submit submit;
        struct accepted accepted;
        struct progress progress;
        struct result result;
        struct command command;
        struct reply reply;
        struct part part;
    } as;
};

// Appends the message to `out`. Fails with ERR_LIMIT, leaving `out` unchanged,
// on a value that message_decode would refuse; a NULL text is sent as "".
bool message_encode(const struct message *message, struct buf *out,
                    struct err *err);

// Returns true if the first bytes of a frame are those that message_encode
// writes for this kind. The rest of the frame may still be invalid.
bool message_is(const void *data, size_t len, enum message_kind kind);

// The bytes of one message, or of several in a row. Borrowed.
struct wire_frame {
    const char *data;
    size_t len;
};

// Reads the first message of a frame that is not empty, and removes it from the
// frame. Texts are copied into the arena, NUL-terminated; nothing in `out`
// refers to the frame. Fails with ERR_PROTOCOL if the bytes are not a message.
// Then err->text says where they are bad, and the rest of the frame is
// meaningless.
bool message_take(struct wire_frame *frame, struct arena *arena,
                  struct message *out, struct err *err);

// Like message_take, for bytes that must be exactly one message.
bool message_decode(const void *data, size_t len, struct arena *arena,
                    struct message *out, struct err *err);

const char *message_kind_name(enum message_kind kind);

// Returns the fields of a message of that kind (wire/fields.h).
const struct field_table *message_fields(enum message_kind kind);

bool message_may_come_from(enum message_kind kind, enum message_sender sender);

// Returns how many tokens a message of that kind takes from the bucket of a
// peer that sends it unasked (common/token_bucket.h). This reflects what it may
// cost the coordinator, where a heartbeat is 1.
int message_tokens(enum message_kind kind);

#endif
