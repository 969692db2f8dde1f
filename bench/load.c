#include "load.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tally.h"

static const char *const topics[] = {"delivery", "payment", "returns",
                                     "account", "product"};
enum { N_TOPICS = 5, FEWEST_TRIALS = 3, DEMO_ROWS = 64 };

static const char job_format[] =
    "name: bench\n"
    "models:\n"
    "  student: '" LOAD_MODEL "'\n"
    "  options: {num_ctx: 8192, num_predict: 200, temperature: 0}\n"
    "inputs: {message: {desc: What the customer wrote}}\n"
    "steps:\n"
    "  sort:\n"
    "    predict: Read the message of a customer and say which of the topics "
    "it belongs to, after a short reason.\n"
    "    inputs: [message]\n"
    "    outputs:\n"
    "      why: {desc: One sentence that says what speaks for the topic}\n"
    "      topic: {enum: [delivery, payment, returns, account, product]}\n"
    "data: {train: train.jsonl, val: val.jsonl}\n"
    "metric: {exact_match: topic}\n"
    "optimizer:\n"
    "  bootstrap_random_search: {max_bootstrapped_demos: 0, "
    "max_labeled_demos: 6, num_candidate_programs: %zu}\n";

static char *take(struct buf *buf)
{
    struct err err = ERR_CLEAR;

    if (!buf_ok(buf, "the job", &err))
        die(&err);
    return buf_take(buf);
}

static char *make_job(size_t n_trials)
{
    struct buf out = BUF_INIT(1 << 20);

    buf_printf(&out, job_format, n_trials - FEWEST_TRIALS);
    return take(&out);
}

// Makes rows of about 300 bytes of message and 130 of reason.
static char *make_rows(const char *kind, size_t n)
{
    struct buf out = BUF_INIT(48 << 20);

    for (size_t i = 0; i < n; i++) {
        const char *topic = topics[(i * 7 + i / 5) % N_TOPICS];

        buf_printf(
            &out,
            "{\"message\": \"Hello, I am writing about order %s-%zu, which I "
            "placed %zu days ago and about which I have asked twice before. "
            "It concerns %s. Could somebody look into it, please? The last "
            "answer was not of much help, and I would like to know what "
            "happens next and by when. Thank you, customer %zu\", "
            "\"why\": \"The customer speaks of an order and asks what happens "
            "next with it, which is what questions of %s are about here.\", "
            "\"topic\": \"%s\"}\n",
            kind, i, i % 90 + 1, topic, i * 31 + 7, topic, topic);
    }
    return take(&out);
}

static void add_file(struct load *load, size_t i, const char *name, char *text)
{
    load->texts[i] = text;
    load->files[i] =
        (struct wire_file){.name = name, .data = text, .len = strlen(text)};
}

void load_make(struct load *load, size_t n_calls, size_t n_rows)
{
    size_t n_trials = (n_calls + n_rows - 1) / n_rows;

    *load = (struct load){.n_rows = n_rows};
    load->n_trials = n_trials < FEWEST_TRIALS ? FEWEST_TRIALS : n_trials;
    load->n_calls = load->n_trials * n_rows;
    add_file(load, 0, "job.yaml", make_job(load->n_trials));
    add_file(load, 1, "train.jsonl", make_rows("T", DEMO_ROWS));
    add_file(load, 2, "val.jsonl", make_rows("V", n_rows));
}

void load_release(struct load *load)
{
    for (size_t i = 0; i < LOAD_FILES; i++)
        free(load->texts[i]);
    *load = (struct load){0};
}

struct bundle *load_bundle(const struct load *load)
{
    struct err err = ERR_CLEAR;
    struct bundle *bundle = bundle_new("job.yaml", &err);

    if (bundle == NULL)
        die(&err);
    for (size_t i = 0; i < LOAD_FILES; i++)
        if (!bundle_add(bundle, load->files[i].name, load->files[i].data,
                        load->files[i].len, &err))
            die(&err);
    return bundle;
}

// FNV-1a over every eighth byte: it picks an answer, and is not a hash to rely
// on.
size_t load_reply(const char *tail, size_t tail_len, char *out)
{
    uint32_t mixed = 2166136261u;

    for (size_t i = 0; i < tail_len; i += 8)
        mixed = (mixed ^ (unsigned char)tail[i]) * 16777619u;
    return (size_t)snprintf(
        out, LOAD_REPLY_BYTES,
        "[[ ## why ## ]]\nThe customer names an order and asks what happens "
        "next with it, and the words of the message (%08" PRIx32 ") speak for "
        "this topic more than for any of the others.\n\n"
        "[[ ## topic ## ]]\n%s\n\n[[ ## completed ## ]]",
        mixed, topics[mixed % N_TOPICS]);
}
