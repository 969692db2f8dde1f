// text: prints, counts, trims and checks strings, with care for UTF-8, and
// reads the numbers and durations that people write.

#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// snprintf for text that people and JSON readers will see. The output is valid
// UTF-8 whatever the arguments held and wherever they were cut, be it by size
// or by a "%.40s" in the middle of a character. An incomplete character is left
// out, a byte that is not UTF-8 becomes '?', and nothing is longer than 4095
// bytes. Returns the length. The arguments may point into out.
size_t text_print(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t text_vprint(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

// Writes a count with its noun, which takes an s unless n is 1: "1 trial", "12
// trials". Returns out.
enum { TEXT_COUNTED_BYTES = 64 };
const char *text_counted(char out[TEXT_COUNTED_BYTES], int64_t n,
                         const char *noun);

// Returns true if text matches [A-Za-z_][A-Za-z0-9_]*.
bool text_is_name(const char *text);

// Returns the name that text was probably meant to be, for "did you mean". This
// is the nearest by edit distance, if at most a third of its letters differ (or
// one) and some are the same. Otherwise it is the only name that begins or ends
// with text, or that text begins or ends with, as max_calls ends with calls.
// Case makes no difference. Returns NULL if there is no such name. names has n
// entries, and the result is borrowed from it.
const char *text_nearest(const char *text, const char *const *names, size_t n);

bool text_ends_with(const char *text, const char *ending);

// Returns a slice without ASCII white space at its ends.
const char *text_trim(const char *text, size_t len, size_t *out_len);

// Returns true for a space outside of ASCII: no-break, thin, ideographic.
bool text_is_space(uint32_t code);

// Like text_trim, but also trims white space of any script and invisible
// characters: zero-width characters, direction marks.
const char *text_trim_wide(const char *text, size_t len, size_t *out_len);

// Finds the first character of text that looks like a plain one or is
// invisible, as in text from web pages and word processors. Returns its
// description, such as "a typographic quote", and its position in *at; NULL if
// there is none.
const char *text_lookalike(const char *text, size_t len, size_t *at);

// Returns true if text[0..len) is valid UTF-8 without NUL.
bool text_is_utf8(const char *text, size_t len);

// Writes what "%" PRId64 prints ("-1234"), ten times as fast and without a NUL.
// Returns the length.
enum { TEXT_INT_BYTES = 20 };
size_t text_int(char out[TEXT_INT_BYTES], int64_t n);

// Read "1", "12.5K", "3M" (10^3, 10^6) as a count, and "90s", "60m", "2h",
// "1.5h" as milliseconds (a bare number is seconds). Return false if the text
// is anything else, negative, or too large.
bool text_count(const char *text, int64_t *out);
bool text_duration_ms(const char *text, int64_t *out);

#endif
