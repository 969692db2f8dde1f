#include "cli/completion.h"

#include <string.h>

#include "cli/command_list.h"
#include "cli/job_keys.h"

enum { OFFER_BYTES = 1 << 14 };

bool completion_option(const struct command_entry *entry, int *id,
                       struct option_about *out)
{
    while (*id < OPTION_COUNT &&
           ((entry->options | OPTIONS_ALL) & OPTION_BIT(*id)) == 0)
        (*id)++;
    if (*id == OPTION_COUNT)
        return false;
    option_describe(entry, (enum option_id) * id, out);
    return true;
}

bool completion_has_value(const struct option_about *about)
{
    return about->argument != NULL && about->argument[0] != '[';
}

void completion_put_names(struct buf *out)
{
    for (size_t i = 0; i < command_list_n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", command_list[i].entry->name);
}

// --- what is offered ---

#define OFFERED_NONE                                                           \
    (struct offered)                                                           \
    {                                                                          \
        .words = BUF_INIT(OFFER_BYTES), .files = BUF_INIT(OFFER_BYTES)         \
    }

void offered_release(struct offered *offered)
{
    buf_release(&offered->words);
    buf_release(&offered->files);
}

static const char *text_of(const struct buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

const char *offered_words(const struct offered *offered)
{
    return text_of(&offered->words);
}

const char *offered_files(const struct offered *offered)
{
    return text_of(&offered->files);
}

static bool holds(const struct buf *buf, const char *text)
{
    return strstr(text_of(buf), text) != NULL;
}

// Appends the parts of a list that `|` separates.
static void add_list(const char *list, struct buf *out)
{
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, "|");

        if (len > 0) {
            buf_puts(out, out->len > 0 ? " " : "");
            buf_append(out, list, len);
        }
        list += len + (list[len] == '|');
    }
}

static void add_offer(const struct offer *offer, struct offered *out)
{
    add_list(offer->words, &out->words);
    if (offer->keys)
        job_keys_put(&out->words);
    if (offer->files != NULL && !holds(&out->files, offer->files))
        add_list(offer->files, &out->files);
    out->jobs = out->jobs || offer->jobs;
}

// What is offered for an operand, by its name in a usage.
static const struct {
    const char *noun;
    struct offer offer;
} nouns[] = {
    {"JOB", {.files = "yaml|yml"}},
    {"COMPILED", {.files = "json"}},
    {"ID", {.files = "yaml|yml", .jobs = true}},
    {"A", {.files = "json", .jobs = true}},
    {"B", {.files = "json", .jobs = true}},
    {"DIR", {.files = OFFER_FOLDER}},
};

// Adds what the table has for a noun, the names of all commands, or a
// lower-case word as it is typed. Adds nothing for others, such as FIELD=VALUE
// and SQL.
static void add_noun(const char *noun, size_t len, struct offered *out)
{
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        if (strlen(nouns[i].noun) == len &&
            memcmp(nouns[i].noun, noun, len) == 0)
            add_offer(&nouns[i].offer, out);
    if (len == strlen("COMMAND") && memcmp(noun, "COMMAND", len) == 0)
        completion_put_names(&out->words);
    else if (noun[0] >= 'a' && noun[0] <= 'z')
        buf_printf(&out->words, "%s%.*s", out->words.len > 0 ? " " : "",
                   (int)len, noun);
}

void offered_operands(const struct command_entry *entry, struct offered *out)
{
    static const char between[] = " []|.";

    *out = OFFERED_NONE;
    for (const char *at = entry->usage + strspn(entry->usage, between);
         *at != '\0'; at += strspn(at, between)) {
        size_t len = strcspn(at, between);

        add_noun(at, len, out);
        at += len;
    }
}

void offered_value(const struct option_about *about, struct offered *out)
{
    *out = OFFERED_NONE;
    add_offer(&about->offer, out);
}
