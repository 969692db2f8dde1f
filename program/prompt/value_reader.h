// value_reader: what every kind of type needs to read one value of a reply.
//
// Each kind of type is a row with two functions: one reads its value from text,
// the other from JSON. The row is at the end of the kind's file in values/, and
// reply_value.c has the table of all rows. A list has items of any type, so its
// row calls back into the reader, which knows the whole table: `reader->text`
// and `reader->json`.
//
// Every function that returns a json_t * returns a new reference, or NULL with
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
    const char *name;    // the whole field's, for problems; borrowed
    struct span source;  // what JSON values were parsed from
    int searches;        // of the source, for the spelling of a number
    unsigned lenient;    // the leniency used so far (enum reply_leniency)
    struct err *problem; // borrowed
    value_text_fn *text; // reads an item or a member of any type
    value_json_fn *json;
};

// Sets the problem: `name` is "text", but must be what the type describes.
// Returns NULL, so that a row can end with this call.
json_t *value_reader_refuse(struct value_reader *reader,
                            const struct type *type, struct span text);
json_t *value_reader_refuse_json(struct value_reader *reader,
                                 const struct type *type, const json_t *value);

// Returns `read`, taking over its reference. If it is NULL, refuses text unless
// a problem is set already.
json_t *value_reader_or_refuse(struct value_reader *reader,
                               const struct type *type, struct span text,
                               json_t *read);

// Returns `made`, taking over its reference. If it is NULL, sets ERR_NOMEM.
json_t *value_reader_checked(struct value_reader *reader, json_t *made);

// Returns the text of a JSON string without any thinking before it. The span
// borrows from the string.
struct span value_reader_clean(struct value_reader *reader,
                               const json_t *string);

// Finds a number in the source, as literal_find does. After the first
// LITERAL_MAX_SEARCHES of a field, and in a longer text, nothing is searched,
// which bounds the time that a list can take: a whole number is then as good as
// found, and any other is in doubt.
bool value_reader_spelling(struct value_reader *reader, const json_t *number,
                           struct span *out);

// Returns a JSON value as text, a number as it is written in the source; the
// caller frees it. Returns NULL with a problem set if that may be one of
// several spellings.
char *value_reader_json_text(struct value_reader *reader,
                             const struct type *type, const json_t *value);

// Reads text that is written as a JSON string, with quotes and escapes. Returns
// NULL without a problem if it is not.
json_t *value_reader_quoted(struct value_reader *reader, struct span text);

// Reads a list or object that the JSON holds as a string: "[1, 2]".
json_t *value_reader_nested(struct value_reader *reader,
                            const struct type *type, const json_t *value);

extern const struct value_kind value_kind_str;
extern const struct value_kind value_kind_number; // int and float
extern const struct value_kind value_kind_bool;
extern const struct value_kind value_kind_enum;
extern const struct value_kind value_kind_list;
extern const struct value_kind value_kind_object;

#endif
