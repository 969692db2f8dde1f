#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "common/rng.h"
#include "wire/prefixes.h"

static struct err err;
static struct known_prefixes known;
static struct kept_prefixes kept;

static void set_up(void)
{
    err = ERR_CLEAR;
    known = (struct known_prefixes){.room = WIRE_MAX_PREFIXES};
    kept = KEPT_PREFIXES_INIT;
}

static void tear_down(void)
{
    kept_prefixes_release(&kept);
}

TestSuite(prefixes, .init = set_up, .fini = tear_down);

// Passes a call from the coordinator to the worker.
static bool pass(const char *text, struct call_message *call)
{
    static struct hash name; // of the call that is returned
    size_t len = strlen(text);

    name = hash_of("prefix", text, len);
    *call = (struct call_message){.prefix_name = (const char *)name.bytes,
                                  .prefix_name_len = sizeof name.bytes,
                                  .request = {.prefix = "", .prefix_len = 0}};
    if (!known_prefixes_use(&known, &name)) {
        call->request.prefix = text;
        call->request.prefix_len = len;
    }
    return kept_prefixes_fill(&kept, call, &err);
}

Test(prefixes, prefix_is_sent_once)
{
    struct call_message call;

    cr_assert(pass("[system", &call), "%s", err.text);
    cr_assert(pass("[system", &call), "%s", err.text);
    cr_expect_str_eq(call.request.prefix, "[system");
    cr_expect_eq(call.request.prefix_len, 7);
    cr_expect_eq(known.n, 1);
}

Test(prefixes, both_ends_agree_for_any_calls)
{
    struct rng rng;
    struct call_message call;
    char text[32];
    size_t told = 0;

    rng_init(&rng, 7, "prefixes", 0);
    for (int i = 0; i < 5000; i++) {
        // Half of the calls use few prefixes, the others use more than fit.
        uint64_t of = rng_below(&rng, 2) == 0 ? 5 : 2 * WIRE_MAX_PREFIXES;

        snprintf(text, sizeof text, "prefix %d", (int)rng_below(&rng, of));
        cr_assert(pass(text, &call), "call %d: %s", i, err.text);
        cr_assert_str_eq(call.request.prefix, text);
        told += call.request.prefix == text;
    }
    cr_expect_eq(known.n, WIRE_MAX_PREFIXES);
    cr_expect_gt(told, 2 * WIRE_MAX_PREFIXES);
    cr_expect_lt(told, 2500);
}

Test(prefixes, call_whose_prefix_was_lost_in_transit_is_not_filled)
{
    struct hash name = hash_of("prefix", "lost", 4);
    struct call_message call;

    (void)known_prefixes_use(&known, &name);
    cr_expect_not(pass("lost", &call));
    cr_expect_eq(err.code, ERR_BUSY);
    known_prefixes_forget(&known);
    cr_expect(pass("lost", &call));
    cr_expect(pass("lost", &call));
    cr_expect_str_eq(call.request.prefix, "lost");
}

Test(prefixes, text_that_does_not_match_its_name_is_not_kept)
{
    struct hash name = hash_of("prefix", "this", 4);
    struct call_message call = {.prefix_name = (const char *)name.bytes,
                                .prefix_name_len = sizeof name.bytes,
                                .request = {.prefix = "that", .prefix_len = 4}};

    cr_expect_not(kept_prefixes_fill(&kept, &call, &err));
    cr_expect_eq(err.code, ERR_PROTOCOL);
    cr_expect_eq(kept.names.n, 0);
}

Test(prefixes, half_a_name_is_ignored)
{
    struct call_message call = {.prefix_name = "half",
                                .prefix_name_len = 4,
                                .request = {.prefix = "x", .prefix_len = 1}};

    cr_expect_not(kept_prefixes_fill(&kept, &call, &err));
    cr_expect_eq(err.code, ERR_PROTOCOL);
}

Test(prefixes, call_without_a_name_is_unchanged)
{
    struct call_message call = {.request = {.prefix = "[", .prefix_len = 1}};

    cr_expect(kept_prefixes_fill(&kept, &call, &err));
    cr_expect_str_eq(call.request.prefix, "[");
    cr_expect_eq(kept.names.n, 0);
}
