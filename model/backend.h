// backend: what differs from one kind of model server to the next.
//
// A backend is a row of functions that turn a request into JSON and JSON into
// facts. It does no input or output and decides nothing: model.c asks,
// model/classify judges. A new one is a file backend_<name>.c that ends in
// its row, and a line in backends.def.

#ifndef MODEL_BACKEND_H
#define MODEL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/call.h"
#include "model/model.h"

enum model_finish {
    FINISH_UNKNOWN, // the server does not say: an old one
    FINISH_STOP,
    FINISH_LENGTH,
    FINISH_LOOP,   // the server saw the model repeat itself
    FINISH_BROKEN, // the server gave up and says so
    FINISH_EARLY,  // not done, and no reason given
};

// What a reply of status 200 says. Texts are borrowed from its JSON, or from
// parts.
struct reply_facts {
    const char *text; // never NULL
    size_t text_len;
    const char *thought; // thinking that came apart from the text, or ""
    const char *refusal; // the words in place of a text, or ""
    enum model_finish finish;
    int64_t prompt_tokens;    // 0 where unknown
    int64_t cached_tokens;    // -1 where unknown
    int64_t generated_tokens; // 0 where unknown
    int64_t prompt_us;
    int64_t generate_us;
    int64_t load_us;
    const json_t *logprobs; // its list of tokens (logprobs.h), or NULL
    struct buf parts; // a text that came in several; its reader releases it
};

struct model_backend {
    const char *name;
    const char *chat_path;
    const char *embed_path;
    const char *chat_key; // in quotes: what an answer has, and no error
    const char *embed_key;
    const char *version_path; // NULL: the list of models says it
    const char *models_path;
    const char *models_key; // of the array in that list
    const char *pull;       // command that fetches a model; NULL: none
    // Whether the server may drop messages of a prompt that does not fit and
    // answer all the same.
    bool cuts_silently;

    // Append to the request's object behind "messages", from the comma on,
    // without the closing brace: the options, and the output format.
    void (*put_options)(struct buf *out, const struct call_options *options,
                        const struct model_address *address);
    void (*put_format)(struct buf *out, const char *format);
    // The same behind the "input" of an embedding.
    void (*put_embed_options)(struct buf *out,
                              const struct call_options *options,
                              const struct model_address *address);

    // Fills facts from a reply; false when it is not this API.
    bool (*read_reply)(const json_t *reply, struct reply_facts *facts);
    // The one embedding of a reply, a list of numbers, and the facts that go
    // with it; NULL when it is not this API, or not one. Borrowed.
    const json_t *(*read_embedding)(const json_t *reply,
                                    struct reply_facts *facts);

    // The version in the reply of version_path, or of models_path; NULL when
    // it is no such server. Borrowed.
    const char *(*read_version)(const json_t *reply);

    // What the same reply says of the server's slots and windows; NULL:
    // nothing.
    void (*read_server)(const json_t *reply, struct model_server *out);

    // One entry of the list; false skips it.
    bool (*read_model)(const json_t *entry, struct model_info *out);
    bool (*is_simulated)(const json_t *entry);
};

// Reads the content of a message, a text, null or a list of parts, into text,
// text_len and thought. False when it is none of them. Parts of thinking are
// no text.
bool backend_read_content(const json_t *content, struct reply_facts *facts);

#define BACKEND(name) extern const struct model_backend backend_##name;
#include "model/backends.def"
#undef BACKEND

// What the OpenAI-compatible servers have in common.
void backend_openai_put_options(struct buf *out,
                                const struct call_options *options,
                                const struct model_address *address);
void backend_openai_put_format(struct buf *out, const char *format);
bool backend_openai_read_reply(const json_t *reply, struct reply_facts *facts);
void backend_openai_put_embed_options(struct buf *out,
                                      const struct call_options *options,
                                      const struct model_address *address);
const json_t *backend_openai_read_embedding(const json_t *reply,
                                            struct reply_facts *facts);
bool backend_openai_is_simulated(const json_t *entry);

// Copies text into out of size bytes; false when it does not fit whole.
bool backend_copy(char *out, size_t size, const char *text);

#endif
