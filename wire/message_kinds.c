// The kinds of messages (message.h): the fields of each, who may send it, and
// what it costs the sender.

#include "wire/message.h"

#include <assert.h>

#include "common/hash.h"
#include "common/logprobs.h"
#include "wire/fields.h"

static_assert(sizeof(enum call_outcome) == sizeof(int) &&
                  sizeof(enum call_think) == sizeof(int) &&
                  sizeof(enum call_kind) == sizeof(int),
              "FIELD_ENUM copies an int");

enum {
    NAME_CAP = 200,      // names of peers, models, jobs, files
    WORD_CAP = 80,       // versions, codes, digests
    SENTENCE_CAP = 1024, // sentences for people
};

// A longer timeout is an error.
#define MILLIS_CAP ((int64_t)7 * 24 * 3600 * 1000)

static const struct message_field model_fields[] = {
    FIELD_TEXT(wire_model, name, "name", NAME_CAP, REQUIRED,
               "as the server has it"),
    FIELD_TEXT(wire_model, digest, "digest", WORD_CAP, OPTIONAL,
               "64 hex digits; missing if the server has none"),
    FIELD_COUNT(wire_model, context, "context",
                "most tokens that it can take; 0 if unknown"),
    FIELD_TEXT(wire_model, quantization, "quantization", WORD_CAP, OPTIONAL,
               "as the server says"),
};
static const struct field_table model_table =
    FIELD_TABLE("model", wire_model, model_fields);

static const struct message_field file_fields[] = {
    FIELD_TEXT(wire_file, name, "name", NAME_CAP, REQUIRED,
               "relative to the job's folder; the first file is the job file"),
    FIELD_BYTES(wire_file, data, len, "data", WIRE_MAX_BYTES, REQUIRED,
                "its bytes"),
};
static const struct field_table file_table =
    FIELD_TABLE("file", wire_file, file_fields);

// A version that is out of range must still be readable, so that it can be
// refused.
static const struct message_field hello_fields[] = {
    FIELD_INT(hello, version, "version", 0, INT64_MAX, REQUIRED,
              "of the protocol; any other is REFUSED"),
    FIELD_INT(hello, role, "role", PEER_WORKER, PEER_CLIENT, REQUIRED,
              "0 worker, 1 client"),
    FIELD_TEXT(hello, name, "name", NAME_CAP, REQUIRED,
               "what the peer is called"),
    FIELD_INT(hello, epoch, "epoch", 0, INT64_MAX, REQUIRED,
              "random, new for each greeting. If it is repeated, only `models` "
              "may have changed"),
    FIELD_INT(hello, slots, "slots", 0, 1024, OPTIONAL,
              "of a worker: calls that its server works on at once, 1 and up"),
    FIELD_TEXT(hello, software, "software", WORD_CAP, OPTIONAL,
               "such as `promptcc 0.1.0`"),
    FIELD_TEXT(hello, backend, "backend", WORD_CAP, OPTIONAL,
               "`ollama`, `openai`, `llama`"),
    FIELD_TEXT(hello, server, "server", WORD_CAP, OPTIONAL,
               "the server's own version"),
    FIELD_INT(hello, simulated, "simulated", 0, 1, OPTIONAL,
              "1: the server is the stand-in"),
    FIELD_LIST(hello, models, n_models, "models", WIRE_MAX_MODELS, &model_table,
               "what the worker can serve"),
    FIELD_BYTES(hello, kept, kept_len, "kept", WIRE_MAX_KEPT *WIRE_KEY_BYTES,
                OPTIONAL,
                "of a worker: keys of earlier CALLs that it still works on or "
                "has answered, 16 bytes each"),
    FIELD_INT(hello, several, "several", 0, 1, OPTIONAL,
              "1: reads frames of several messages"),
    FIELD_INT(hello, prefixes, "prefixes", 0, WIRE_MAX_PREFIXES, OPTIONAL,
              "of a worker: how many prefixes of CALLs it keeps, see "
              "[CALL](#4-call-coordinator-to-worker)"),
    FIELD_COUNT(hello, instance, "instance",
                "of a worker: random, and fixed while it runs. A peer that "
                "greeted with it before, under another routing identity and "
                "with the same key, is gone. 0: unknown"),
    FIELD_COUNT(
        hello, greeting, "greeting",
        "how many greetings that worker has made, this one included. A "
        "greeting with a lower number than the last is late, and is ignored"),
};

static const struct message_field welcome_fields[] = {
    FIELD_INT(welcome, heartbeat_ms, "heartbeat_ms", 10, 60000, REQUIRED,
              "how often the peer sends a heartbeat"),
    FIELD_INT(welcome, idle_ms, "idle_ms", 0, WIRE_IDLE_MAX_MS, OPTIONAL,
              "of a worker: how often it does so while it holds no call, as in "
              "HEARTBEAT"),
    FIELD_TEXT(welcome, name, "name", NAME_CAP, REQUIRED,
               "what the coordinator calls the peer"),
    FIELD_INT(welcome, several, "several", 0, 1, OPTIONAL, "as in HELLO"),
};

static const struct message_field refused_fields[] = {
    FIELD_TEXT(refused, code, "code", WORD_CAP, REQUIRED,
               "`version`, `digest`, `name`, `full`, `hello` (greet first: a "
               "restarted coordinator does not know its peers), `frame` (an "
               "invalid message), `role` (the key is for another role)"),
    FIELD_TEXT(refused, text, "text", SENTENCE_CAP, OPTIONAL,
               "one sentence with the remedy"),
};

static const struct message_field heartbeat_fields[] = {
    FIELD_BYTES(
        heartbeat, held, held_len, "held", WIRE_MAX_HELD *WIRE_LEASE_BYTES,
        NULLABLE,
        "from a worker: the leases of all calls of jobs that it holds, waiting "
        "or open, 8 bytes each, the high byte first. Empty: it holds none. "
        "Missing: it does not say; the coordinator and clients never do"),
    FIELD_INT(heartbeat, idle_ms, "idle_ms", 0, WIRE_IDLE_MAX_MS, OPTIONAL,
              "how often a worker sends a heartbeat while it holds no call. "
              "The coordinator asks for it, less often the more workers there "
              "are; a worker says what it will keep to, and counts as silent "
              "when it has missed three. 0: `heartbeat_ms` of WELCOME"),
    FIELD_BYTES(heartbeat, lacks, lacks_len, "lacks",
                WIRE_MAX_HELD *WIRE_LEASE_BYTES, OPTIONAL,
                "from a worker, at once: CALLs that it could not take, because "
                "it does not know the prefix that they name, 8 bytes each. "
                "They are sent again under the same leases, and the first "
                "brings the prefix. Each counts as a message from the worker"),
    FIELD_INT(heartbeat, waits, "waits", 0, 1, OPTIONAL,
              "1, from a client: it has submitted a job and has no RESULT yet"),
    FIELD_INT(
        heartbeat, unknown, "unknown", 0, 1, OPTIONAL,
        "1, the coordinator's immediate answer to such a client: it is neither "
        "reading a job of that client nor running one that the client watches. "
        "What a client sent comes before its heartbeats, so the SUBMIT or the "
        "RESULT was lost, and the client submits again"),
};

static const struct message_field call_fields[] = {
    FIELD_INT(
        call_message, id, "id", 0, INT64_MAX, REQUIRED,
        "the lease. No later coordinator uses it again, so a late answer under "
        "an earlier lease is never taken for an answer to this call"),
    FIELD_INT(call_message, timeout_ms, "timeout_ms", 1, MILLIS_CAP, REQUIRED,
              "hard limit at the worker"),
    FIELD_TEXT(call_message, digest, "digest", WORD_CAP, OPTIONAL,
               "of the model; a worker whose model has a different one answers "
               "FAULT `model`"),
    FIELD_BYTES(call_message, key, key_len, "key", WIRE_KEY_BYTES, OPTIONAL,
                "identifies the question (call key), whoever asks it"),
    FIELD_ENUM(call_message, request.kind, "asks", CALL_CHAT, CALL_EMBED,
               OPTIONAL, "0 chat, 1 embedding"),
    FIELD_BYTES(call_message, prefix_name, prefix_name_len, "prefix_name",
                HASH_BYTES, OPTIONAL,
                "the hash of `prefix`, which may then be `\"\"`; see below"),
    FIELD_TEXT(call_message, request.model, "model", NAME_CAP, REQUIRED,
               "its name"),
    FIELD_SLICE(call_message, request.prefix, request.prefix_len, "prefix",
                WIRE_MAX_TEXT, REQUIRED, "JSON, see below"),
    FIELD_SLICE(call_message, request.tail, request.tail_len, "tail",
                WIRE_MAX_TEXT, REQUIRED, "the rest of that JSON"),
    FIELD_TEXT(
        call_message, request.format, "format", 1 << 20, NULLABLE,
        "JSON schema, or `\"json\"` with its quotes; missing: free text"),
    FIELD_INT32(call_message, request.options.num_ctx, "num_ctx", 1, INT32_MAX,
                REQUIRED, "tokens of context"),
    FIELD_INT32(call_message, request.options.num_predict, "num_predict", 1,
                INT32_MAX, REQUIRED, "most tokens of the reply"),
    FIELD_REAL(call_message, request.options.temperature, "temperature", 0, 100,
               "of the sampling"),
    FIELD_INT(call_message, request.options.seed, "seed", INT64_MIN, INT64_MAX,
              OPTIONAL, "of the sampling"),
    FIELD_ENUM(call_message, request.options.think, "think", THINK_UNSET,
               THINK_ON, OPTIONAL, "0 unset, 1 off, 2 on"),
    FIELD_INT32(call_message, request.options.top_logprobs, "top_logprobs", 0,
                LOGPROBS_TOP, OPTIONAL,
                "how many alternatives to each token are asked for; 0: no "
                "log-probabilities"),
};

static const struct message_field cancel_fields[] = {
    FIELD_INT(cancel, id, "id", 0, INT64_MAX, REQUIRED,
              "the lease. There is no reply; a lease that the worker does not "
              "have is ignored"),
};

static const struct message_field answer_fields[] = {
    FIELD_INT(answer_message, id, "id", 0, INT64_MAX, REQUIRED, "the lease"),
    FIELD_ENUM(answer_message, answer.outcome, "outcome", CALL_TEXT,
               CALL_OUTCOME_COUNT - 1, REQUIRED,
               "0 text, 1 cut, 2 empty, 3 loop, 4 too long"),
    FIELD_SLICE(
        answer_message, answer.text, answer.text_len, "text", WIRE_MAX_TEXT,
        OPTIONAL,
        "missing for 2, 3 and 4; repaired if the model did not write UTF-8"),
    FIELD_INT32(answer_message, answer.prompt_tokens, "prompt_tokens", 0,
                INT32_MAX, OPTIONAL, "cached ones included; 0: unknown"),
    FIELD_INT32(answer_message, answer.cached_tokens, "cached_tokens", -1,
                INT32_MAX, REQUIRED, "-1: the server does not say"),
    FIELD_INT32(answer_message, answer.generated_tokens, "generated_tokens", 0,
                INT32_MAX, OPTIONAL, "of the reply; 0: unknown"),
    FIELD_COUNT(answer_message, answer.prompt_us, "prompt_us",
                "microseconds on the prompt; 0: unknown"),
    FIELD_COUNT(answer_message, answer.generate_us, "generate_us",
                "on the reply"),
    FIELD_COUNT(answer_message, answer.load_us, "load_us",
                "on loading the model"),
    FIELD_COUNT(answer_message, answer.total_us, "total_us",
                "in total, as the worker measured"),
    FIELD_TEXT(answer_message, answer.logprobs, "logprobs", LOGPROBS_MAX_BYTES,
               NULLABLE,
               "JSON, see [Log-probabilities](#log-probabilities); missing if "
               "none were asked for or given"),
};

static const struct message_field fault_fields[] = {
    FIELD_INT(fault_message, id, "id", 0, INT64_MAX, REQUIRED, "the lease"),
    FIELD_INT(fault_message, fault, "fault", FAULT_REFUSED,
              CALL_FAULT_COUNT - 1, REQUIRED,
              "1 refused, 2 timeout, 3 busy, 4 server, 5 broken, 6 garbage, 7 "
              "model, 8 request, 9 lost"),
    FIELD_TEXT(fault_message, text, "text", SENTENCE_CAP, OPTIONAL,
               "one sentence for people"),
};

static const struct message_field goodbye_fields[] = {
    FIELD_COUNT(goodbye, open, "open",
                "the peer takes no more calls, and this many answers will "
                "still follow. With 0 it is gone, and the calls that it still "
                "held are asked elsewhere"),
};

static const struct message_field submit_fields[] = {
    FIELD_TEXT(submit, action, "action", WORD_CAP, REQUIRED, "`run` or `eval`"),
    FIELD_TEXT(submit, options, "options", 1 << 20, OPTIONAL,
               "a JSON object; its `priority` is 1 to 100, its `max_workers` 1 "
               "to 10,000"),
    FIELD_TEXT(
        submit, folder, "folder", 4096, OPTIONAL,
        "where the job is on this machine. Only the coordinator inside `run` "
        "and `eval` reads it, whose one client is its own process; a "
        "coordinator on the network uses `files`, whatever the folder says"),
    FIELD_LIST(submit, files, n_files, "files", WIRE_MAX_FILES, &file_table,
               "the job file first, then those that it names"),
};

static const struct message_field accepted_fields[] = {
    FIELD_TEXT(accepted, job, "job", NAME_CAP, REQUIRED, "its id"),
    FIELD_TEXT(accepted, note, "note", SENTENCE_CAP, OPTIONAL,
               "one sentence for people: what has changed since the last job "
               "of that name; if the job is already running, what was asked "
               "for and does not apply"),
};

static const struct message_field progress_fields[] = {
    FIELD_TEXT(progress, job, "job", NAME_CAP, REQUIRED, "its id"),
    FIELD_TEXT(progress, phase, "phase", WORD_CAP, OPTIONAL,
               "what the job is doing, in a word or two"),
    FIELD_TEXT(progress, note, "note", SENTENCE_CAP, OPTIONAL,
               "one sentence for people"),
    FIELD_COUNT(progress, trial, "trial", "the highest trial that has ended"),
    FIELD_COUNT(progress, trials, "trials",
                "how many there will be; 0: unknown"),
    FIELD_COUNT(progress, done, "done",
                "examples that are done in the current phase"),
    FIELD_COUNT(progress, total, "total", "of how many"),
    FIELD_COUNT(progress, examples, "examples",
                "examples of the whole job that were run afresh"),
    FIELD_COUNT(progress, expected, "expected", "of how many; 0: unknown"),
    FIELD_REAL(
        progress, share, "share", -1, 1,
        "how much of the job is done, which never goes back; below 0: unknown"),
    FIELD_COUNT(progress, calls, "calls", "answers so far"),
    FIELD_COUNT(progress, reused, "reused",
                "uses of an answer that needed no request"),
    FIELD_COUNT(progress, in_flight, "in_flight",
                "calls of the job that are with a worker"),
    FIELD_COUNT(progress, faults, "faults",
                "calls of the job that came back with a fault"),
    FIELD_COUNT(progress, prompt_tokens, "prompt_tokens", "read so far"),
    FIELD_COUNT(progress, generated_tokens, "generated_tokens",
                "written so far"),
    FIELD_COUNT(progress, workers, "workers", "that have joined"),
    FIELD_COUNT(progress, slots, "slots", "of these workers"),
    FIELD_REAL(progress, best, "best", -1, 1,
               "the best score so far; below 0: none yet"),
    FIELD_REAL(progress, best_low, "best_low", -1, 1,
               "the low end of its interval"),
    FIELD_REAL(progress, best_high, "best_high", -1, 1, "the high end"),
    FIELD_COUNT(progress, best_trial, "best_trial",
                "the trial that has that score; 0: none yet, or that score was "
                "not one of a trial"),
    FIELD_REAL(
        progress, baseline, "baseline", -1, 1,
        "the program as written on the same examples; below 0: none yet"),
    FIELD_REAL(progress, tokens_per_s, "tokens_per_s", 0, INT64_MAX,
               "read and written per second, on average"),
    FIELD_COUNT(progress, elapsed_ms, "elapsed_ms",
                "since the job began, over all sessions"),
    FIELD_INT(progress, left_ms, "left_ms", -1, INT64_MAX, REQUIRED,
              "an estimate; -1: unknown"),
};

static const struct message_field result_fields[] = {
    FIELD_TEXT(result, job, "job", NAME_CAP, REQUIRED, "its id"),
    FIELD_INT(result, status, "status", 0, 255, REQUIRED,
              "the [exit status](command-line.md#exit-status)"),
    FIELD_TEXT(result, document, "document", WIRE_MAX_TEXT, OPTIONAL,
               "JSON: what `run --json` prints, or `{\"error\": ...}`"),
    FIELD_TEXT(result, compiled, "compiled", WIRE_MAX_TEXT, OPTIONAL,
               "the bytes of the compiled file; missing if there is none"),
};

static const struct message_field command_fields[] = {
    FIELD_TEXT(command, verb, "verb", WORD_CAP, REQUIRED,
               "one of the table below"),
    FIELD_TEXT(command, job, "job", NAME_CAP, OPTIONAL,
               "its id, the beginning of one, or a name"),
    FIELD_TEXT(command, argument, "argument", 1 << 20, OPTIONAL,
               "a JSON object, or missing"),
};

static const struct message_field reply_fields[] = {
    FIELD_TEXT(reply, document, "document", WIRE_MAX_TEXT, REQUIRED,
               "JSON; `{\"error\": ...}` on failure, and in place of a reply "
               "that is too long"),
};

static const struct message_field part_fields[] = {
    FIELD_INT(part, of, "of", 1, WIRE_MAX_BYTES, REQUIRED,
              "bytes of the whole message"),
    FIELD_INT(part, at, "at", 0, WIRE_MAX_BYTES, OPTIONAL,
              "where this piece belongs in it"),
    FIELD_BYTES(part, data, len, "data", WIRE_PART_BYTES, REQUIRED,
                "the piece"),
};

// Everything that both ends agree on, in the order of enum message_kind.
static const struct kind {
    struct field_table table;
    unsigned senders;
    int tokens;
} kinds[MESSAGE_KIND_COUNT] = {
    [MESSAGE_HELLO] = {FIELD_TABLE("HELLO", hello, hello_fields),
                       FROM_WORKER | FROM_CLIENT, 32},
    [MESSAGE_WELCOME] = {FIELD_TABLE("WELCOME", welcome, welcome_fields),
                         FROM_COORDINATOR},
    [MESSAGE_REFUSED] = {FIELD_TABLE("REFUSED", refused, refused_fields),
                         FROM_COORDINATOR},
    [MESSAGE_HEARTBEAT] = {FIELD_TABLE("HEARTBEAT", heartbeat,
                                       heartbeat_fields),
                           FROM_ANY, 1},
    [MESSAGE_CALL] = {FIELD_TABLE("CALL", call_message, call_fields),
                      FROM_COORDINATOR},
    [MESSAGE_CANCEL] = {FIELD_TABLE("CANCEL", cancel, cancel_fields),
                        FROM_COORDINATOR},
    [MESSAGE_ANSWER] = {FIELD_TABLE("ANSWER", answer_message, answer_fields),
                        FROM_WORKER, 1},
    [MESSAGE_FAULT] = {FIELD_TABLE("FAULT", fault_message, fault_fields),
                       FROM_WORKER, 1},
    [MESSAGE_GOODBYE] = {FIELD_TABLE("GOODBYE", goodbye, goodbye_fields),
                         FROM_WORKER | FROM_CLIENT, 1},
    [MESSAGE_SUBMIT] = {FIELD_TABLE("SUBMIT", submit, submit_fields),
                        FROM_CLIENT, 32},
    [MESSAGE_ACCEPTED] = {FIELD_TABLE("ACCEPTED", accepted, accepted_fields),
                          FROM_COORDINATOR},
    [MESSAGE_PROGRESS] = {FIELD_TABLE("PROGRESS", progress, progress_fields),
                          FROM_COORDINATOR},
    [MESSAGE_RESULT] = {FIELD_TABLE("RESULT", result, result_fields),
                        FROM_COORDINATOR},
    [MESSAGE_COMMAND] = {FIELD_TABLE("COMMAND", command, command_fields),
                         FROM_CLIENT, 4},
    [MESSAGE_REPLY] = {FIELD_TABLE("REPLY", reply, reply_fields),
                       FROM_COORDINATOR},
    [MESSAGE_PART] = {FIELD_TABLE("PART", part, part_fields),
                      FROM_WORKER | FROM_CLIENT, 0}, // charged by its bytes
};

const char *message_kind_name(enum message_kind kind)
{
    if ((unsigned)kind >= MESSAGE_KIND_COUNT)
        return "unknown";
    return kinds[kind].table.name;
}

const struct field_table *message_fields(enum message_kind kind)
{
    return &kinds[kind].table;
}

bool message_may_come_from(enum message_kind kind, enum message_sender sender)
{
    return (kinds[kind].senders & sender) != 0;
}

int message_tokens(enum message_kind kind)
{
    return kinds[kind].tokens;
}
