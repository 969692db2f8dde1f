// text: printing, counting, trimming and checking strings, with care for UTF-8,
// and reading the numbers and durations that people write.

#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// snprintf for text that people and JSON readers will see: what is written to
// out is valid UTF-8 whatever the arguments held and wherever they were cut,
// be it by size or by a "%.40s" in the middle of a character. A character that
// is not whole is left out, a byte that is no UTF-8 becomes '?', and nothing is
// longer than 4095 bytes. Returns the length; arguments may point into out.
size_t text_print(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t text_vprint(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

// "1 trial", "12 trials": a count with its noun, which takes an s unless n
// is 1. Borrows from the caller's out.
enum { TEXT_COUNTED_BYTES = 64 };
const char *text_counted(char out[TEXT_COUNTED_BYTES], int64_t n,
                         const char *noun);

// True for [A-Za-z_][A-Za-z0-9_]*.
bool text_is_name(const char *text);

// The name that text was probably meant to be, for "did you mean": the nearest
// by edit distance, if at most a third of its letters differ (or one) and some
// are the same; otherwise the only name that begins or ends with text, or text
// with it, as max_calls ends with calls. Case makes no difference. NULL: there
// is no such name. names has n entries; the result is borrowed from it.
const char *text_nearest(const char *text, const char *const *names, size_t n);

// A slice without white space at its ends (bytes; ASCII white space).
const char *text_trim(const char *text, size_t len, size_t *out_len);

// True for a space beyond ASCII: no-break, thin, ideographic.
bool text_is_space(uint32_t code);

// The same for white space of any script, and for what shows as nothing:
// zero-width characters, direction marks.
const char *text_trim_wide(const char *text, size_t len, size_t *out_len);

// Finds the first character of text that looks like a plain one, or like
// nothing, such as those in text from web pages and word processors. Returns
// what it is, "a typographic quote", and where it begins; NULL: there is none.
const char *text_lookalike(const char *text, size_t len, size_t *at);

// True when text[0..len) is valid UTF-8 without NUL.
bool text_is_utf8(const char *text, size_t len);

// "-1234": what "%" PRId64 prints, in a tenth of the time and without a NUL.
// Returns the length.
enum { TEXT_INT_BYTES = 20 };
size_t text_int(char out[TEXT_INT_BYTES], int64_t n);

// "1", "12.5K", "3M" (10^3, 10^6) to a count; "90s", "60m", "2h", "1.5h" to
// milliseconds (a bare number is seconds). False when it is neither or is
// negative or overflows.
bool text_count(const char *text, int64_t *out);
bool text_duration_ms(const char *text, int64_t *out);

#endif
