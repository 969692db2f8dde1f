// value_reader: what all kinds of types need to read one value of a reply.
//
// Each kind of type is a row that says how its value is read: out of text, and
// out of JSON. A row stands at the end of its file in values/; reply_value.c
// has the table of them. A list has items of any type, so its row asks the
// reader, which knows the whole table, to read them: `reader->text` and
// `reader->json`.
//
// Whatever returns a json_t * returns a new reference, or NULL with
// reader->problem set: ERR_INPUT with a sentence for the model, or ERR_NOMEM.

#ifndef PROGRAM_PROMPT_VALUE_READER_H
#define PROGRAM_PROMPT_VALUE_READER_H

#include <jansson.h>

#include "common/err.h"
#include "program/graph/type.h"
#include "program/prompt/span.h"

struct value_reader;

// Reads a value of `type`. `value` and the bytes of `text` are borrowed.
typedef json_t *value_text_fn(struct value_reader *reader,
                              const struct type *type, struct span text);
typedef json_t *value_json_fn(struct value_reader *reader,
                              const struct type *type, const json_t *value);

struct value_kind {
    value_text_fn *text;
    value_json_fn *json;
};

struct value_reader {
    const char *name;    // of the whole field, for problems; borrowed
    unsigned lenient;    // the kinds of leniency so far (enum reply_leniency)
    struct err *problem; // borrowed
    value_text_fn *text; // an item or a member, of whatever type
    value_json_fn *json;
};

// A problem: `name` is "text", but must be what the type describes. Returns
// NULL, so that a row can end with it.
json_t *value_reader_refuse(struct value_reader *reader,
                            const struct type *type, struct span text);
json_t *value_reader_refuse_json(struct value_reader *reader,
                                 const struct type *type, const json_t *value);

// `read`, which it takes, where there is one. Otherwise refuses text, unless a
// problem is there already.
json_t *value_reader_or_refuse(struct value_reader *reader,
                               const struct type *type, struct span text,
                               json_t *read);

// `made`, which it takes. A value that could not be made is ERR_NOMEM.
json_t *value_reader_checked(struct value_reader *reader, json_t *made);

// The text of a JSON string, without what was thought before it. Borrows from
// the string.
struct span value_reader_clean(struct value_reader *reader,
                               const json_t *string);

// The string that text is when it is written as JSON has it, with quotes and
// escapes. NULL where it is not; that is no problem.
json_t *value_reader_quoted(struct value_reader *reader, struct span text);

// A list or an object that stands in JSON as a string: "[1, 2]".
json_t *value_reader_nested(struct value_reader *reader,
                            const struct type *type, const json_t *value);

extern const struct value_kind value_kind_str;
extern const struct value_kind value_kind_number; // int and float
extern const struct value_kind value_kind_bool;
extern const struct value_kind value_kind_enum;
extern const struct value_kind value_kind_list;
extern const struct value_kind value_kind_object;

#endif
