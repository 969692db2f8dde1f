#include "program/prompt/reply_clean.h"

#include <string.h>

#include "program/prompt/reply.h"

// ---- thinking

static const struct {
    const char *open;
    const char *close;
} thoughts[] = {
    {"<think>", "</think>"},
    {"<thinking>", "</thinking>"},
    {"<thought>", "</thought>"},
    {"<thoughts>", "</thoughts>"},
    {"<reasoning>", "</reasoning>"},
    {"<reflection>", "</reflection>"},
    {"<scratchpad>", "</scratchpad>"},
    {"<seed:think>", "</seed:think>"},
    {"[THINK]", "[/THINK]"},          // Magistral
    {"\xE2\x97\x81think\xE2\x96\xB7", // Kimi
     "\xE2\x97\x81/think\xE2\x96\xB7"},
    {"<|begin_of_thought|>", "<|end_of_thought|>"},
    {"<|START_THINKING|>", "<|END_THINKING|>"}, // Command
    {"<|channel|>analysis<|message|>",          // gpt-oss
     "<|channel|>final<|message|>"},
};
enum { THOUGHTS = sizeof thoughts / sizeof thoughts[0] };

// False for nearly all replies, which begin with a marker or a brace.
static bool may_begin_with_tag(struct span text)
{
    char first = span_char(text, 0);

    return first == '<' || first == '\xE2' ||
           (first == '[' && span_char(text, 1) != '[');
}

// The row whose opening tag text begins with, or -1.
static int opened_by(struct span text)
{
    if (!may_begin_with_tag(text))
        return -1;
    for (int i = 0; i < THOUGHTS; i++) {
        if (span_starts(text, thoughts[i].open))
            return i;
    }
    return -1;
}

// Whole thoughts at the beginning, one behind the other.
static struct span skip_opened(struct span text, unsigned *lenient)
{
    for (;;) {
        int row = opened_by(text);
        if (row < 0)
            return text;
        size_t end = span_find(text, 0, thoughts[row].close);
        *lenient |= LENIENT_FENCE;
        if (end == text.len)
            return span_from(text, text.len);
        text = span_trim(span_from(text, end + strlen(thoughts[row].close)));
    }
}

// A closing tag that ends a thought stands at the end of a line, or on a line
// of its own, or in front of an answer; one in the middle of a sentence is
// only spoken of.
static bool is_break(struct span text, size_t at, size_t len)
{
    struct span after = span_from(text, at + len);
    size_t i = at;
    size_t blank = 0;

    while (i > 0 && (text.at[i - 1] == ' ' || text.at[i - 1] == '\t'))
        i--;
    while (span_char(after, blank) == ' ' || span_char(after, blank) == '\t')
        blank++;
    after = span_from(after, blank);
    return i == 0 || text.at[i - 1] == '\n' || text.at[at] != '<' ||
           text.at[at + 1] == '|' || after.len == 0 || after.at[0] == '\n' ||
           after.at[0] == '\r' || after.at[0] == '{' || after.at[0] == '<' ||
           span_starts(after, "[[") || span_starts(after, "```");
}

// Where a thought begins that stands inside of a section, behind its marker;
// text.len: nowhere.
static size_t find_in_section(struct span text, const char *open)
{
    size_t start = span_find(text, 0, open);

    return span_ends(span_trim(span_to(text, start)), "]]") ? start : text.len;
}

// The end of the last closing tag of a row that ends a thought, or 0.
static size_t last_close(struct span text, int row)
{
    const char *close = thoughts[row].close;
    size_t len = strlen(close);
    size_t at = span_find(text, 0, close);
    size_t inside =
        at < text.len ? find_in_section(text, thoughts[row].open) : text.len;
    size_t end = 0;

    for (; at < inside; at = span_find(text, at + len, close)) {
        if (is_break(text, at, len))
            end = at + len;
    }
    return end;
}

// All up to the last closing tag was thought.
static struct span skip_closed(struct span text, unsigned *lenient)
{
    size_t start = 0;

    if (memchr(text.at, '/', text.len) == NULL &&
        memchr(text.at, '|', text.len) == NULL)
        return text;
    for (int row = 0; row < THOUGHTS; row++) {
        size_t end = last_close(text, row);
        start = end > start ? end : start;
    }
    if (start == 0)
        return text;
    *lenient |= LENIENT_FENCE;
    return span_trim(span_from(text, start));
}

// ---- tokens that end and begin a turn

static const char *const ends[] = {
    "<|im_end|>",
    "<|endoftext|>",
    "</s>",
    "<|eot_id|>",
    "<|eot|>",
    "<|eom_id|>",
    "<|end|>",
    "<|return|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<eos>",
    "<|END_OF_TURN_TOKEN|>",
    ("<\xEF\xBD\x9C"
     "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
    "<|endofturn|>",
    "<|/assistant|>",
    "<|END_RESPONSE|>", // Command
};
enum { ENDS = sizeof ends / sizeof ends[0] };

// What a model may write in front of its turn.
static const char *const starts[] = {
    "<|im_start|>assistant",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|header_start|>assistant<|header_end|>",
    "<start_of_turn>model",
    "<|assistant|>",
    "<|start|>assistant",
    "<|channel|>final<|message|>",
    "<|START_RESPONSE|>",
    "<|begin_of_text|>",
    "<bos>",
    "<s>",
    "[/INST]",
};
enum { STARTS = sizeof starts / sizeof starts[0] };

// The bytes of the token that text begins with, or 0.
static size_t token_at(struct span text, const char *const *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_starts(text, tokens[i]))
            return strlen(tokens[i]);
    }
    return 0;
}

// Nothing, another token, or another turn.
static bool is_behind_turn(struct span text)
{
    text = span_trim(text);
    return text.len == 0 || span_starts(text, "<|") ||
           span_starts(text, "<\xEF\xBD\x9C") ||
           span_starts(text, "<start_of_turn>") || span_starts(text, "<s>") ||
           span_starts(text, "[INST]") || token_at(text, ends, ENDS) > 0;
}

static struct span cut_turn(struct span text, unsigned *lenient)
{
    size_t at = span_find(text, 0, "<");

    for (; at < text.len; at = span_find(text, at + 1, "<")) {
        struct span rest = span_from(text, at);
        size_t len = token_at(rest, ends, ENDS);

        if (len == 0 || !is_behind_turn(span_from(rest, len)))
            continue;
        *lenient |= LENIENT_END;
        return span_trim(span_to(text, at));
    }
    return text;
}

static struct span skip_starts(struct span text, unsigned *lenient)
{
    for (;;) {
        size_t len =
            may_begin_with_tag(text) ? token_at(text, starts, STARTS) : 0;
        if (len == 0)
            return text;
        *lenient |= LENIENT_END;
        text = span_trim(span_from(text, len));
    }
}

// A thought that begins on a line of its own, behind a value, is no part of it.
static struct span cut_thought(struct span text, unsigned *lenient)
{
    struct span rest = text;

    while (rest.len > 0) {
        struct span line = span_line(&rest);

        if (line.at == text.at || opened_by(line) < 0)
            continue;
        *lenient |= LENIENT_FENCE;
        return span_trim(span_to(text, (size_t)(line.at - text.at)));
    }
    return text;
}

// ---- the whole

// What models are taught to put around what follows a thought.
static const struct {
    const char *open;
    const char *close;
} frames[] = {
    {"<answer>", "</answer>"},
    {"<response>", "</response>"},          // ERNIE
    {"<output>", "</output>"},              // Reflection
    {"<|begin_of_box|>", "<|end_of_box|>"}, // GLM
    {"<final_answer>", "</final_answer>"},
};
enum { FRAMES = sizeof frames / sizeof frames[0] };

// Without what is around the whole text.
static struct span skip_frames(struct span text, unsigned *lenient)
{
    for (int i = 0; i < FRAMES; i++) {
        size_t open = strlen(frames[i].open);
        size_t close = strlen(frames[i].close);

        if (text.len < open + close || !span_starts(text, frames[i].open) ||
            span_find(text, open, frames[i].close) + close != text.len)
            continue;
        *lenient |= LENIENT_FENCE;
        text =
            span_trim(span_to(span_from(text, open), text.len - open - close));
    }
    return text;
}

struct span reply_clean_value(struct span text, unsigned *lenient)
{
    text = span_trim(text);
    if (memchr(text.at, '<', text.len) == NULL && opened_by(text) < 0)
        return text;
    text = skip_opened(text, lenient);
    text = cut_turn(cut_thought(text, lenient), lenient);
    return skip_frames(text, lenient);
}

struct span reply_clean(struct span text, unsigned *lenient)
{
    text = skip_starts(span_trim(text), lenient);
    text = skip_opened(text, lenient);
    text = skip_closed(text, lenient);
    text = skip_opened(text, lenient);
    text = skip_starts(text, lenient);
    text = cut_turn(text, lenient);
    return skip_frames(text, lenient);
}
