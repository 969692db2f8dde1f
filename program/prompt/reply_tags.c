#include "program/prompt/reply_tags.h"

#include <stdio.h>
#include <string.h>

#include "program/prompt/reply_clean.h"

enum { TAG_MAX = 48 };

// The two tags of a name.
struct tag {
    char open[TAG_MAX];
    char close[TAG_MAX];
    size_t len; // of open; close is one byte longer
};

static bool tag_of(const char *name, struct tag *tag)
{
    size_t len = strlen(name);

    if (len + sizeof "</>" > TAG_MAX)
        return false;
    (void)snprintf(tag->open, sizeof tag->open, "<%s>", name);
    (void)snprintf(tag->close, sizeof tag->close, "</%s>", name);
    tag->len = len + 2;
    return true;
}

// Returns true if nothing comes between the start of the line, or the end of
// another tag, and `at`.
static bool begins_part(struct span text, size_t at)
{
    while (at > 0 && (text.at[at - 1] == ' ' || text.at[at - 1] == '\t'))
        at--;
    return at == 0 || text.at[at - 1] == '\n' || text.at[at - 1] == '>';
}

static bool ends_part(struct span rest)
{
    struct span line = span_trim(span_line(&rest));

    return line.len == 0 || line.at[0] == '<';
}

// Takes <title>Weather</title>, on its own line or next to another tag. *text
// becomes what follows it.
static struct span take_tag(const struct tag *tag, struct span *text)
{
    size_t at = span_find(*text, 0, tag->open);
    size_t end = span_find(*text, at, tag->close);
    struct span value = {NULL, 0};

    if (end == text->len)
        return value;
    struct span rest = span_from(*text, end + tag->len + 1);
    if (begins_part(*text, at) && ends_part(rest))
        value = span_trim(
            span_to(span_from(*text, at + tag->len), end - at - tag->len));
    *text = rest;
    return value;
}

// Finds an output whose name is that of a tag that reply_clean removes as a
// thought or as the frame of an answer. The last thought is meant, because
// earlier ones may rehearse it.
static struct span find_cleaned(const struct reading *reading,
                                const struct tag *tag)
{
    struct span before = reading->whole;
    struct span found = {NULL, 0};

    before.len = (size_t)(reading->reply.at - before.at);
    if (reply_clean_frames(tag->open) &&
        span_ends(span_trim(before), tag->open))
        return reading->reply;
    if (!reply_clean_is_thought_tag(tag->open))
        return found;
    for (;;) {
        struct span one = take_tag(tag, &before);
        if (one.at == NULL)
            return found;
        found = one;
    }
}

bool reply_tags_find(struct reading *reading)
{
    bool any = false;

    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        struct found *found = &reading->outputs[i];
        struct span rest = reading->reply;
        struct tag tag;

        if (!tag_of(reading->signature->outputs[i].name, &tag))
            continue;
        found->text = take_tag(&tag, &rest);
        if (found->text.at == NULL)
            found->text = find_cleaned(reading, &tag);
        found->twice =
            found->text.at != NULL && take_tag(&tag, &rest).at != NULL;
        any = any || found->text.at != NULL;
    }
    return any;
}
