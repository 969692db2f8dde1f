// backend: what differs from one kind of model server to another.
//
// A backend is a row of functions that turn a request into JSON and JSON into
// facts. It does no input or output and decides nothing: model.c sends
// requests, classify.c judges the replies. To add a backend, write a file
// backend_<name>.c that ends in its row, and add a line to backends.def.

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
    FINISH_UNKNOWN, // the server (an old one) does not say
    FINISH_STOP,
    FINISH_LENGTH,
    FINISH_LOOP,   // the server saw the model repeat itself
    FINISH_BROKEN, // the server gave up and reports it
    FINISH_EARLY,  // not done, with no reason given
};

// What a reply with status 200 says. Texts are borrowed from its JSON, or from
// parts.
struct reply_facts {
    const char *text; // never NULL
    size_t text_len;
    const char *thought; // thinking that came separately, or ""
    const char *refusal; // the words that replace a text, or ""
    enum model_finish finish;
    int64_t prompt_tokens;    // 0 if unknown
    int64_t cached_tokens;    // -1 if unknown
    int64_t generated_tokens; // 0 if unknown
    int64_t prompt_us;
    int64_t generate_us;
    int64_t load_us;
    const json_t *logprobs; // the server's list of tokens (logprobs.h), or NULL
    struct buf parts;       // a text in several parts; the caller releases it
};

struct model_backend {
    const char *name;
    const char *chat_path;
    const char *embed_path;
    const char *chat_key; // a key, in quotes, that answers have and errors lack
    const char *embed_key;
    const char *version_path; // NULL: the list of models has the version
    const char *models_path;
    const char *models_key; // of the array in the list of models
    const char *pull;       // command that fetches a model, or NULL
    // True if the server may drop messages of a prompt that does not fit, and
    // answer anyway.
    bool cuts_silently;

    // Append to the request's object after "messages", beginning with a comma
    // and without the closing brace: the options, and the output format.
    void (*put_options)(struct buf *out, const struct call_options *options,
                        const struct model_address *address);
    void (*put_format)(struct buf *out, const char *format);
    // Appends the options after the "input" of an embedding.
    void (*put_embed_options)(struct buf *out,
                              const struct call_options *options,
                              const struct model_address *address);

    // Fills in facts from a reply; returns false if it is not of this API.
    bool (*read_reply)(const json_t *reply, struct reply_facts *facts);
    // Returns the single embedding of a reply, a list of numbers, and fills in
    // its facts. Returns NULL if the reply is not of this API, or has not
    // exactly one. Borrowed.
    const json_t *(*read_embedding)(const json_t *reply,
                                    struct reply_facts *facts);

    // Returns the version from the reply of version_path, or of models_path;
    // NULL if the server is not of this kind. Borrowed.
    const char *(*read_version)(const json_t *reply);

    // Reads the server's slots and windows from the same reply; NULL if the
    // reply does not have them.
    void (*read_server)(const json_t *reply, struct model_server *out);

    // Reads one entry of the list of models; returns false to skip it.
    bool (*read_model)(const json_t *entry, struct model_info *out);
    bool (*is_simulated)(const json_t *entry);
};

// Reads the content of a message into text, text_len and thought. The content
// is a text, null or a list of parts; returns false if it is none of them.
// Thinking parts are not added to the text.
bool backend_read_content(const json_t *content, struct reply_facts *facts);

#define BACKEND(name) extern const struct model_backend backend_##name;
#include "model/backends.def"
#undef BACKEND

// Shared by the OpenAI-compatible servers.
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

// Copies text into out, which has size bytes. Returns false if the text is
// empty or does not fit.
bool backend_copy(char *out, size_t size, const char *text);

#endif
