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
    {"<|think|>", "<|/think|>"},
    {"<|thinking|>", "<|/thinking|>"},
    {"<|channel>thought", "<channel|>"}, // Gemma
    {"<unused94>thought", "<unused95>"}, // MedGemma
    {"<|begin_of_thought|>", "<|end_of_thought|>"},
    {"<|START_THINKING|>", "<|END_THINKING|>"}, // Command
    {"<|channel|>analysis<|message|>",          // gpt-oss
     "<|channel|>final<|message|>"},
};
enum { THOUGHTS = sizeof thoughts / sizeof thoughts[0] };

// Returns false for nearly all replies, which begin with a marker or a brace.
static bool may_begin_with_tag(struct span text)
{
    char first = span_char(text, 0);

    return first == '<' || first == '\xE2' ||
           (first == '[' && span_char(text, 1) != '[');
}

// Returns the row whose opening tag text begins with, or -1.
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

// Skips complete thoughts at the beginning, one after another.
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

// Returns true if the closing tag ends a thought: it is at the end of a line,
// on its own line, or before an answer. A tag in the middle of a sentence is
// only being talked about.
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

// Returns true if only blanks are between `at` and the start of its line, which
// is not the first.
static bool begins_line(struct span text, size_t at)
{
    while (at > 0 && (text.at[at - 1] == ' ' || text.at[at - 1] == '\t'))
        at--;
    return at > 0 && text.at[at - 1] == '\n';
}

// Finds where a thought begins inside a section: right after a marker, or at
// the beginning of a line after one. text.len if there is none.
static size_t find_in_section(struct span text, const char *open)
{
    size_t marker = span_find(text, 0, "[[ ##");
    size_t at = span_find(text, 0, open);

    while (at < text.len && !(at > marker && begins_line(text, at)) &&
           !span_ends(span_trim(span_to(text, at)), "]]"))
        at = span_find(text, at + 1, open);
    return at;
}

// Returns the end of the row's last closing tag that ends a thought, or 0.
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

// Skips everything up to the last closing tag, because all of it was thinking.
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

enum { TOKEN_BYTES = 40 };

// End tokens that are not written <|like this|>.
static const char *const ends[] = {
    "</s>", "<end_of_turn>", "<eos>", "<pad>", "[EOS]", "[/INST]", "<turn|>",
};
enum { ENDS = sizeof ends / sizeof ends[0] };

// What a model may write before its turn.
static const char *const starts[] = {
    "<|im_start|>assistant",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|header_start|>assistant<|header_end|>",
    "<start_of_turn>model",
    "<|turn>model",
    "<|start|>assistant",
    "<|channel|>final<|message|>",
    "<bos>",
    "<s>",
    "[/INST]",
};
enum { STARTS = sizeof starts / sizeof starts[0] };

// Returns the length of the token that text begins with, or 0.
static size_t token_at(struct span text, const char *const *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_starts(text, tokens[i]))
            return strlen(tokens[i]);
    }
    return 0;
}

// Returns the length of <|a_name|>, or the same with full-width bars, or 0.
// Each family of models has its own names.
static size_t named_token(struct span text)
{
    static const char *const bars[] = {"|", "\xEF\xBD\x9C"};
    struct span near =
        span_to(text, text.len < TOKEN_BYTES ? text.len : TOKEN_BYTES);

    for (size_t i = 0; span_char(text, 0) == '<' && i < 2; i++) {
        size_t start = 1 + strlen(bars[i]);
        size_t end = span_find(near, start, bars[i]);

        if (!span_starts(span_from(near, 1), bars[i]) || end <= start ||
            span_char(text, end + start - 1) != '>')
            continue;
        struct span name = span_from(span_to(near, end), start);
        if (span_count(name, ' ') == 0 && span_count(name, '\n') == 0)
            return end + start;
    }
    return 0;
}

// Tokens that frame an answer or a thought do not end a turn.
static bool is_frame(struct span token)
{
    return span_find(token, 0, "box") < token.len ||
           span_find(token, 0, "think") < token.len ||
           span_find(token, 0, "THINK") < token.len ||
           span_find(token, 0, "thought") < token.len;
}

static size_t end_token(struct span text)
{
    size_t named = named_token(text);

    return named > 0 && !is_frame(span_to(text, named))
               ? named
               : token_at(text, ends, ENDS);
}

// Returns true if text is what may follow a turn: nothing, another token, or
// another turn.
static bool may_follow_turn(struct span text)
{
    text = span_trim(text);
    return text.len == 0 || end_token(text) > 0 ||
           span_starts(text, "<start_of_turn>") || span_starts(text, "<s>") ||
           span_starts(text, "[INST]") || span_starts(text, "Human:") ||
           span_starts(text, "User:");
}

static struct span cut_turn(struct span text, unsigned *lenient)
{
    for (size_t at = 0; at < text.len; at++) {
        struct span rest = span_from(text, at);
        size_t len =
            rest.at[0] == '<' || rest.at[0] == '[' ? end_token(rest) : 0;

        if (len == 0 || !may_follow_turn(span_from(rest, len)))
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
        size_t named = len == 0 ? named_token(text) : 0;
        if (len == 0 && (named == 0 || opened_by(text) >= 0 ||
                         is_frame(span_to(text, named))))
            return text;
        *lenient |= LENIENT_END;
        text = span_trim(span_from(text, len > 0 ? len : named));
    }
}

// Cuts off a thought that begins on its own line after a value; it is not part
// of the value. If more text follows the thought, it may continue the value or
// replace it, so nothing is left.
static struct span cut_thought(struct span text, unsigned *lenient)
{
    struct span rest = text;

    while (rest.len > 0) {
        struct span line = span_line(&rest);
        size_t at = (size_t)(line.at - text.at);

        if (at == 0 || opened_by(line) < 0)
            continue;
        *lenient |= LENIENT_FENCE;
        if (skip_opened(span_from(text, at), lenient).len > 0)
            return span_to(text, 0);
        return span_trim(span_to(text, at));
    }
    return text;
}

// ---- the whole

// What models are trained to put around the answer that follows a thought.
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

// Removes frames around the whole text.
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

bool reply_clean_is_thought_tag(const char *tag)
{
    return opened_by((struct span){tag, strlen(tag)}) >= 0;
}

bool reply_clean_frames(const char *tag)
{
    for (int i = 0; i < FRAMES; i++) {
        if (strcmp(frames[i].open, tag) == 0)
            return true;
    }
    return false;
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
