// message: what coordinator, workers and clients say to each other.
//
// A message is one MessagePack map, described byte by byte in
// docs/protocol.md; a frame of ZeroMQ holds one, or several one behind the
// other where the reader has said that it can read them (outbox.h). Every peer
// opens with HELLO; the coordinator answers WELCOME or REFUSED. Keys that a
// reader does not know are ignored, keys that it misses are zero or "" unless
// the table in message.c marks them required: so a field may be added without
// raising WIRE_VERSION. Numbers out of range, wrong types, texts with NUL or
// beyond their cap make a frame invalid.
//
// How to add a field: a member in the struct here, a row in its table in
// message.c, which also tells people what it says (scripts/reference.py writes
// it into docs/protocol.md), and a case in test_message.c.
//
// How to add a message: a value at the end of enum message_kind, its struct and
// its place in struct message here; in message.c its fields and its row, which
// also says who may send it, and what it costs the sender. Then a handler where
// it arrives: a row in coordinator/inbox.c, worker/orders.c or client/client.c.

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
    WIRE_MAX_BYTES = 64 << 20,   // a message
    WIRE_FRAME_BYTES = 64 << 10, // a frame to the coordinator; a longer message
                                 // goes there in PARTs
    WIRE_PART_BYTES = 60 << 10,  // of a message in one PART
    WIRE_MAX_TEXT = 32 << 20,    // one text or binary in a frame
    WIRE_MAX_MODELS = 256,       // models in a HELLO
    WIRE_KEY_BYTES = 16,         // the key of a call
    WIRE_MAX_KEPT = 512,         // keys of kept calls in a HELLO
    WIRE_MAX_PREFIXES = 32,      // that a worker keeps (prefixes.h)
    WIRE_PREFIX_BYTES = 64 << 10, // of one of them, at most
    WIRE_MAX_HELD = 1536,         // leases in a HEARTBEAT
    WIRE_LEASE_BYTES = 8,         // of one of them
    WIRE_MAX_FILES = 256,         // files in a SUBMIT
};
// Calls with ids from here on are what a worker shows when it joins
// (docs/protocol.md): a few, beyond its credit.
#define WIRE_PROOF_ID ((int64_t)1 << 62)
enum { WIRE_HEARTBEAT_MS = 1000 }; // both ways
enum { WIRE_LIVENESS = 3 };        // missed heartbeats until a peer is lost
enum { WIRE_IDLE_MAX_MS = 40000 }; // of a worker without calls

enum message_kind {
    MESSAGE_HELLO,     // any peer -> coordinator, first
    MESSAGE_WELCOME,   // coordinator -> peer
    MESSAGE_REFUSED,   // coordinator -> peer, and the connection is over
    MESSAGE_HEARTBEAT, // both ways
    MESSAGE_CALL,      // coordinator -> worker: lease
    MESSAGE_CANCEL,    // coordinator -> worker: the answer is not wanted
    MESSAGE_ANSWER,    // worker -> coordinator
    MESSAGE_FAULT,     // worker -> coordinator: the call goes back
    MESSAGE_GOODBYE,   // peer -> coordinator: takes no more calls
    MESSAGE_SUBMIT,    // client -> coordinator: a job in a bundle
    MESSAGE_ACCEPTED,  // coordinator -> client: its id
    MESSAGE_PROGRESS,  // coordinator -> client, a few a second
    MESSAGE_RESULT,    // coordinator -> client, the last about a job
    MESSAGE_COMMAND,   // client -> coordinator: jobs, show, stop, resume
    MESSAGE_REPLY,     // coordinator -> client: JSON
    MESSAGE_PART,      // any peer -> coordinator: a piece of a long message
};
enum { MESSAGE_KIND_COUNT = MESSAGE_PART + 1 };

enum peer_role { PEER_WORKER = 0, PEER_CLIENT = 1 };
enum { PEER_ROLE_COUNT = PEER_CLIENT + 1 };

// Who may send a message: several of them in one number.
enum message_sender {
    FROM_WORKER = 1 << PEER_WORKER,
    FROM_CLIENT = 1 << PEER_CLIENT,
    FROM_COORDINATOR = 4,
    FROM_ANY = FROM_WORKER | FROM_CLIENT | FROM_COORDINATOR,
};

// A model that a worker can serve.
struct wire_model {
    const char *name;
    const char *digest; // 64 hex digits, "" where the server has none
    int64_t context;    // most tokens it can take; 0 where unknown
    const char *quantization;
};

struct hello {
    int64_t version; // WIRE_VERSION; another one is refused
    int64_t role;    // enum peer_role
    const char *name;
    int64_t epoch; // random, fresh each time the peer starts or reconnects
    int64_t slots; // calls that its server works on at once, 1..1024
    const char *software; // "promptcc 0.1.0"
    const char *backend;  // "ollama", "openai"
    const char *server;   // the server's own version
    int64_t simulated;    // 1 when the server is the stand-in
    struct wire_model *models;
    size_t n_models;
    const char *kept; // keys of calls that a worker still has at work, or
    size_t kept_len;  // answered, from before: WIRE_KEY_BYTES each
    int64_t several;  // 1: it reads frames of several messages
    int64_t prefixes; // so many prefixes of calls does a worker keep
    int64_t instance; // of a worker: random, as long as it runs; 0: not said
    int64_t greeting; // how many it has sent, with this one
};

struct welcome {
    int64_t heartbeat_ms;
    int64_t idle_ms;  // of a worker: as in a heartbeat
    const char *name; // the name that the coordinator will use for the peer
    int64_t several;  // 1: it reads frames of several messages
};

struct refused {
    // "version", "digest", "name", "full"; "hello": greet first (a coordinator
    // that was restarted does not know its peers); "frame": nonsense
    const char *code;
    const char *text; // one sentence with the remedy
};

struct heartbeat {
    const char *held;  // of a worker: all leases that it has, WIRE_LEASE_BYTES
    size_t held_len;   // each, the high byte first. NULL: it does not say
    int64_t idle_ms;   // between two heartbeats of a worker that holds no call:
                       // what the coordinator asks for, or what the worker will
                       // keep to. 0: as of any other peer
    const char *lacks; // of a worker: leases of CALLs that it could not take,
    size_t lacks_len;  // for it does not know the prefix that they name
    int64_t waits;   // 1, of a client: it has submitted a job and has no result
    int64_t unknown; // 1, to such a client: nothing is known of that here
};

struct call_message {
    int64_t id; // the lease; no later coordinator gives it again
    int64_t timeout_ms;
    const char *digest; // of the model, as pinned by the job
    struct call_request request;
    const char *key; // names the question: who has it at work or answered
    size_t key_len;  // already need not ask it again; WIRE_KEY_BYTES, or 0
    const char *prefix_name; // hash of the request's prefix, which is "" where
    size_t prefix_name_len;  // the worker has it (prefixes.h); 0: has no name
};

struct cancel {
    int64_t id;
};

struct answer_message {
    int64_t id;
    struct call_answer answer; // its texts are in the arena after decoding
};

struct fault_message {
    int64_t id;
    int64_t fault; // enum call_fault
    const char *text;
};

struct goodbye {
    int64_t open; // calls whose answers still follow; 0: gone
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
    const char *folder;      // of the job on this machine; "": not from here
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
    int64_t done, total; // examples of what is under way
    // Examples that are run anew, of the whole job: done, and as many as are
    // expected in all (0: not known).
    int64_t examples, expected;
    double share; // of the whole way, 0 to 1; < 0: not known
    int64_t calls, reused, in_flight, faults;
    int64_t prompt_tokens, generated_tokens;
    int64_t workers, slots;
    double best, best_low, best_high; // fractions; best < 0: none yet
    int64_t best_trial;               // its number; 0: none yet
    double baseline;                  // < 0: none yet
    double tokens_per_s;
    int64_t elapsed_ms;
    int64_t left_ms; // estimate; -1: unknown
};

struct result {
    const char *job;
    int64_t status;       // the exit status (docs/command-line.md)
    const char *document; // JSON: what `run --json` prints
    const char *compiled; // the compiled file's bytes, "" when there is none
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
    int64_t at; // where this piece belongs in it
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

// Appends the frame to out. Fails with ERR_LIMIT, out as it was, on a value
// that message_decode would refuse; a NULL text is sent as "".
bool message_encode(const struct message *message, struct buf *out,
                    struct err *err);

// Whether a frame is one of that kind, by its first bytes, as message_encode
// writes them. What says that it is may still be nonsense behind.
bool message_is(const void *data, size_t len, enum message_kind kind);

// Bytes of one message, or of several one behind the other. Borrowed.
struct wire_frame {
    const char *data;
    size_t len;
};

// Reads the first message of a frame, which is not empty, and takes it off.
// Texts are copied into arena, NUL-terminated; nothing in out refers to the
// frame. Fails with ERR_PROTOCOL on bytes that are no message; err->text says
// where they are bad, and what is left of the frame means nothing.
bool message_take(struct wire_frame *frame, struct arena *arena,
                  struct message *out, struct err *err);

// The same for bytes that are to be one message and nothing more.
bool message_decode(const void *data, size_t len, struct arena *arena,
                    struct message *out, struct err *err);

// A lease as the bytes of HEARTBEAT's `held`.
void lease_write(int64_t lease, char out[WIRE_LEASE_BYTES]);
int64_t lease_read(const char bytes[WIRE_LEASE_BYTES]);

const char *message_kind_name(enum message_kind kind);

// What a message of that kind consists of (wire/fields.h).
const struct field_table *message_fields(enum message_kind kind);

bool message_may_come_from(enum message_kind kind, enum message_sender sender);

// What a message of that kind takes from the bucket of a peer that sends it
// unasked (common/token_bucket.h): as much as it may cost the coordinator,
// where a heartbeat is 1.
int message_tokens(enum message_kind kind);

#endif
