#include "coordinator/call_key.h"

#include <criterion/criterion.h>
#include <string.h>

static struct call_request request;
static struct call_key_prefix prefix;

static void set_up(void)
{
    call_key_begin(&prefix, "p", 1);
    request = (struct call_request){
        .tail = "tail",
        .tail_len = 4,
        .format = NULL,
        .options = {.num_ctx = 4096, .num_predict = 256, .temperature = 0.5}};
}

TestSuite(call_key, .init = set_up);

static struct hash key_of(const char *digest, int32_t replicate)
{
    return call_key(&prefix, digest, &request, replicate);
}

static bool same(struct hash a, struct hash b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

// Checks that the key has changed after one change.
static void expect_other(struct hash before, const char *what)
{
    cr_expect_not(same(before, key_of("d", 0)), "%s is not in the key", what);
    set_up();
    cr_expect(same(before, key_of("d", 0)));
}

Test(call_key, key_covers_everything_that_determines_the_answer)
{
    struct hash before = key_of("d", 0);

    call_key_begin(&prefix, "q", 1);
    expect_other(before, "the prefix");
    request.tail = "tali";
    expect_other(before, "the tail");
    request.options.num_ctx++;
    expect_other(before, "num_ctx");
    request.options.num_predict++;
    expect_other(before, "num_predict");
    request.options.temperature = 0.25;
    expect_other(before, "the temperature");
    request.options.seed = 1;
    expect_other(before, "the seed");
    request.options.think = THINK_ON;
    expect_other(before, "thinking");
    request.options.top_logprobs = 20;
    expect_other(before, "log-probabilities");
    request.format = "\"json\"";
    expect_other(before, "the format");
    request.kind = CALL_EMBED;
    expect_other(before, "what is asked");
    cr_expect_not(same(before, key_of("e", 0)), "the digest is not in it");
    cr_expect_not(same(before, key_of("d", 1)), "the replicate is not in it");
}

Test(call_key, equal_requests_have_equal_keys)
{
    struct hash before = key_of("d", 2);
    char tail[] = "tail";

    request.tail = tail;
    request.prefix = "not read";
    request.model = "not read";
    cr_expect(same(before, key_of("d", 2)));
}

// Demos that were picked for a question are in its tail, fixed ones in the
// prefix. The same messages are sent in both cases.
Test(call_key, key_does_not_depend_on_where_prefix_and_tail_split)
{
    struct hash before = key_of("d", 0);

    call_key_begin(&prefix, "pt", 2);
    request.tail = "ail";
    request.tail_len = 3;
    cr_expect(same(before, key_of("d", 0)));
    call_key_begin(&prefix, "", 0);
    request.tail = "ptail";
    request.tail_len = 5;
    cr_expect(same(before, key_of("d", 0)));
}

Test(call_key, key_does_not_depend_on_buffering)
{
    char text[3 * HASHER_GATHERED];

    memset(text, 'x', sizeof text);
    call_key_begin(&prefix, text, sizeof text);
    request.tail_len = 0;
    struct hash before = key_of("d", 0);
    for (size_t at = 0; at < sizeof text; at += 97) {
        call_key_begin(&prefix, text, at);
        request.tail = text + at;
        request.tail_len = sizeof text - at;
        cr_expect(same(before, key_of("d", 0)), "parted at %zu", at);
    }
}

Test(call_key, the_seed_at_temperature_zero_is_the_replicate)
{
    struct sampling sampling = {
        .purpose = "trial", .trial = 9, .draw = 3, .replicate = 2};

    cr_expect_eq(call_seed(0, 77, &sampling, "sort"), 2);
    sampling.trial = 10;
    cr_expect_eq(call_seed(0, 78, &sampling, "other"), 2);
}

Test(call_key, seed_above_temperature_zero_depends_on_the_purpose_of_the_draw)
{
    const struct sampling base = {.purpose = "trial", .trial = 1};
    struct sampling other = base;
    int64_t seed = call_seed(0.7, 1, &base, "sort");

    cr_expect_geq(seed, 0);
    cr_expect_lt(seed, (int64_t)1 << 31);
    cr_expect_eq(call_seed(0.7, 1, &base, "sort"), seed);
    cr_expect_eq(call_seed(0.9, 1, &base, "sort"), seed);
    cr_expect_neq(call_seed(0.7, 2, &base, "sort"), seed);
    cr_expect_neq(call_seed(0.7, 1, &base, "sour"), seed);
    other.draw = 1;
    cr_expect_neq(call_seed(0.7, 1, &other, "sort"), seed);
    other = base;
    other.trial = 2;
    cr_expect_neq(call_seed(0.7, 1, &other, "sort"), seed);
    other = base;
    other.purpose = "bootstrap";
    cr_expect_neq(call_seed(0.7, 1, &other, "sort"), seed);
    other = base;
    other.replicate = 1;
    cr_expect_neq(call_seed(0.7, 1, &other, "sort"), seed);
}

Test(call_key, metric_key_covers_its_command_files_and_request)
{
    const char *const argv[] = {"python3", "metric.py", NULL};
    const char *const joined[] = {"python3metric.py", NULL};
    struct hash files = hash_of("f", "1", 1), edited = hash_of("f", "2", 1);
    struct hash key = exec_key(argv, &files, "{}", 2);

    cr_expect(same(key, exec_key(argv, &files, "{} ", 2)));
    cr_expect_not(same(key, exec_key(joined, &files, "{}", 2)));
    cr_expect_not(same(key, exec_key(argv, &edited, "{}", 2)));
    cr_expect_not(same(key, exec_key(argv, &files, "[]", 2)));
}
