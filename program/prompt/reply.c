#include "program/prompt/reply.h"

#include <string.h>

#include "common/text.h"
#include "program/graph/number.h"
#include "program/prompt/reading.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_object.h"
#include "program/prompt/reply_table.h"
#include "program/prompt/reply_tags.h"
#include "program/prompt/reply_value.h"
#include "program/prompt/sections.h"

enum { BARE_WORDS = 6 }; // a reply of up to this many may be just a label

static bool is_read(const struct reading *reading, size_t output)
{
    return (reading->reads >> output & 1) != 0;
}

// ---- a bare answer

// Returns the one output that matters, or -1.
static int only_output(const struct reading *reading)
{
    int only = -1;

    if (reading->signature->n_outputs == 1)
        return 0;
    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        if (is_read(reading, i) && only >= 0)
            return -1;
        if (is_read(reading, i))
            only = (int)i;
    }
    return only;
}

// Returns true if the reply looks like JSON and has the output as a key: there
// were several such objects, or one that could not be read.
static bool names_key(const struct reading *reading, int output)
{
    const char *name = reading->signature->outputs[output].name;

    return (span_starts(reading->reply, "{") ||
            span_starts(reading->reply, "```")) &&
           reply_object_locate(reading->reply, name) < reading->reply.len;
}

// Returns true for texts such as "B." or "The answer is B.", which are too
// short to be a sentence of thinking.
static bool is_short(struct span text)
{
    return span_find(text, 0, "\n") == text.len &&
           span_find(text, 0, ",") == text.len &&
           span_count(text, ' ') < BARE_WORDS;
}

// Returns true if the whole text is a value of the type. When other outputs
// were asked for, even ones that nothing reads, a bare text may belong to one
// of those: "First I count the red ones, which are 3" is not an answer. So it
// has to be nothing but a value.
static bool is_whole_value(const struct type *type, struct span text)
{
    double ignored;

    switch (type->kind) {
    case TYPE_INT:
    case TYPE_FLOAT:
        return number_read(text.at, text.len, &ignored);
    case TYPE_BOOL:
    case TYPE_ENUM:
        return is_short(text);
    case TYPE_LIST:
        return span_starts(text, "[") && span_ends(text, "]");
    case TYPE_OBJECT:
        return span_starts(text, "{") && span_ends(text, "}");
    case TYPE_STR:
        break;
    }
    return false;
}

// Takes the whole reply as the value of the only output. A reply that was meant
// as an object is not a text, and one that contains markers was meant to have
// parts.
static bool find_bare(struct reading *reading)
{
    int only = only_output(reading);

    if (only < 0 || span_find(reading->reply, 0, "[[ ##") < reading->reply.len)
        return false;
    bool object =
        (reading->adapter == ADAPTER_JSON &&
         (reading->object != NULL || span_starts(reading->reply, "{") ||
          span_starts(reading->reply, "[{"))) ||
        names_key(reading, only);
    if (object && reading->signature->outputs[only].type.kind != TYPE_OBJECT)
        return false;
    if (reading->signature->n_outputs > 1 &&
        !is_whole_value(&reading->signature->outputs[only].type,
                        reading->reply))
        return false;
    reading->outputs[only].text = reading->reply;
    reading->lenient |= LENIENT_BARE;
    return true;
}

// ---- the forms of a reply

struct reply_form {
    bool (*find)(struct reading *reading);
    unsigned lenient; // set whenever the form is used
};

enum { FORM_COUNT = 6 };

// The forms of each adapter, in the order in which they are tried.
static const struct reply_form forms[][FORM_COUNT] = {
    [ADAPTER_CHAT] = {{sections_find, 0},
                      {reply_object_find, LENIENT_FORM},
                      {reply_tags_find, LENIENT_FORM},
                      {reply_table_find, LENIENT_FORM},
                      {sections_find_labels, 0},
                      {find_bare, 0}},
    [ADAPTER_JSON] = {{reply_object_find, 0},
                      {sections_find, LENIENT_FORM},
                      {reply_tags_find, LENIENT_FORM},
                      {reply_table_find, LENIENT_FORM},
                      {sections_find_labels, LENIENT_FORM},
                      {find_bare, 0}},
};

// If a form does not fit, everything it did is undone, except for the object.
static void find_outputs(struct reading *reading)
{
    unsigned before = reading->lenient;

    for (size_t i = 0; i < FORM_COUNT; i++) {
        memset(reading->outputs, 0, sizeof reading->outputs);
        reading->lenient = before | forms[reading->adapter][i].lenient;
        if (forms[reading->adapter][i].find(reading))
            return;
    }
    memset(reading->outputs, 0, sizeof reading->outputs);
    reading->lenient = before;
}

// ---- the whole

static json_t *read_output(struct reading *reading, size_t i,
                           struct err *problem)
{
    const struct field *field = &reading->signature->outputs[i];
    const struct found *found = &reading->outputs[i];

    if (found->twice) {
        err_set(problem, ERR_INPUT,
                reading->adapter == ADAPTER_JSON
                    ? "there is more than one value of \"%s\""
                    : "there is more than one section [[ ## %s ## ]]",
                field->name);
        return NULL;
    }
    if (found->broken) {
        err_set(problem, ERR_INPUT, "the value of \"%s\" is no whole JSON",
                field->name);
        return NULL;
    }
    if (found->json != NULL)
        return reply_value_json(field, found->json, reading->reply,
                                &reading->lenient, problem);
    if (found->text.at != NULL)
        return reply_value_text(field, found->text, &reading->lenient, problem);
    if (reading->adapter == ADAPTER_JSON)
        err_set(problem, ERR_INPUT, "the key \"%s\" is missing", field->name);
    else
        err_set(problem, ERR_INPUT, "the section [[ ## %s ## ]] is missing",
                field->name);
    return NULL;
}

static bool add_output(struct reading *reading, size_t i, json_t *outputs,
                       struct err *problem)
{
    struct err why = ERR_CLEAR;
    json_t *value = read_output(reading, i, &why);

    if (value == NULL && (is_read(reading, i) || why.code == ERR_NOMEM)) {
        err_set(problem, why.code, "%s", why.text);
        return false;
    }
    if (value == NULL) {
        value = json_null();
        reading->lenient |= LENIENT_UNREAD;
    }
    if (json_object_set_new_nocheck(
            outputs, reading->signature->outputs[i].name, value) == 0)
        return true;
    err_nomem(problem, "the outputs of a reply");
    return false;
}

static bool read_outputs(struct reading *reading, json_t *outputs,
                         struct err *problem)
{
    find_outputs(reading);
    bool ok = reading->no_memory.code == ERR_NONE;
    if (!ok)
        err_set(problem, ERR_NOMEM, "%s", reading->no_memory.text);
    for (size_t i = 0; ok && i < reading->signature->n_outputs; i++)
        ok = add_output(reading, i, outputs, problem);
    json_decref(reading->object);
    return ok;
}

static struct reading begin_reading(const struct reply_asked *asked,
                                    struct span text)
{
    struct reading reading = {.signature = &asked->step->signature,
                              .adapter = asked->adapter,
                              .whole = text,
                              .reads = asked->reads};

    reading.reply = reply_clean(text, &reading.lenient);
    return reading;
}

bool reply_parse(const struct reply_asked *asked, struct span text,
                 json_t **outputs, unsigned *lenient, struct err *problem)
{
    struct reading reading;

    if (!text_is_utf8(text.at, text.len)) {
        err_set(problem, ERR_INPUT, "the answer is not valid UTF-8 text");
        return false;
    }
    reading = begin_reading(asked, text);
    if (reading.reply.len == 0) {
        err_set(problem, ERR_INPUT, "the answer is empty");
        return false;
    }
    json_t *object = json_object();
    if (object == NULL) {
        err_nomem(problem, "the outputs of a reply");
        return false;
    }
    if (!read_outputs(&reading, object, problem)) {
        json_decref(object);
        return false;
    }
    *outputs = object;
    *lenient = reading.lenient;
    return true;
}

bool reply_locate(const struct reply_asked *asked, struct span text,
                  size_t output, size_t *at)
{
    struct reading reading = begin_reading(asked, text);

    find_outputs(&reading);
    const struct found *found = &reading.outputs[output];
    *at = text.len;
    if (found->text.at != NULL)
        *at = (size_t)(found->text.at - text.at);
    else if (found->json != NULL)
        *at = (size_t)(reading.reply.at - text.at) +
              reply_object_locate(reading.reply,
                                  reading.signature->outputs[output].name);
    json_decref(reading.object);
    return *at < text.len;
}

bool reply_is_empty(struct span text)
{
    unsigned ignored = 0;

    return reply_clean(text, &ignored).len == 0;
}

bool reply_is_closed(const struct reply_asked *asked, struct span text)
{
    struct reading reading = begin_reading(asked, text);

    return (asked->adapter == ADAPTER_JSON &&
            reply_object_begins(reading.reply)) ||
           sections_are_ended(&reading);
}
