#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "common/hash.h"
#include "common/rng.h"
#include "wire/lease.h"
#include "wire/message.h"

static struct err err;
static struct buf frame;
static struct arena arena;

static void set_up(void)
{
    err = ERR_CLEAR;
    frame = BUF_INIT(WIRE_MAX_BYTES + 100);
    arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES);
}

static void tear_down(void)
{
    buf_release(&frame);
    arena_release(&arena);
}

TestSuite(message, .init = set_up, .fini = tear_down);

static struct wire_model two_models[] = {
    {"gemma3:270m", "ab12", 4096, "Q4_K_M"},
    {"käse", "", 0, ""},
};
static struct wire_file two_files[] = {
    {"job.yaml", "a: 1\n", 5},
    {"data.bin", "\0\xff\n", 3},
};
static char logprobs[] = "[[2,3,0.6,\"x\",0.3]]";
static char answer_text[] = "sí, señor";

// Returns a message of this kind with all members set.
static struct message make_sample(enum message_kind kind)
{
    struct message m = {.kind = kind};

    switch (kind) {
    case MESSAGE_HELLO:
        m.as.hello = (struct hello){WIRE_VERSION,
                                    PEER_WORKER,
                                    "w1",
                                    INT64_MAX,
                                    1024,
                                    "promptcc 0.1.0",
                                    "ollama",
                                    "0.33",
                                    1,
                                    two_models,
                                    2,
                                    "0123456789abcdef",
                                    WIRE_KEY_BYTES,
                                    1,
                                    WIRE_MAX_PREFIXES,
                                    77,
                                    3};
        break;
    case MESSAGE_WELCOME:
        m.as.welcome = (struct welcome){1000, 4000, "w1", 1};
        break;
    case MESSAGE_REFUSED:
        m.as.refused = (struct refused){"digest", "run `ollama pull x`"};
        break;
    case MESSAGE_HEARTBEAT:
        m.as.heartbeat = (struct heartbeat){
            "\0\0\0\0\0\0\1\2", 8, 4000, "\0\0\0\0\0\0\1\3", 8, 1, 1};
        break;
    case MESSAGE_CALL:
        m.as.call = (struct call_message){7,
                                          30000,
                                          "ab12",
                                          {CALL_EMBED,
                                           "gemma3:270m",
                                           "[{\"role\"",
                                           8,
                                           ":\"user\"}]",
                                           9,
                                           "\"json\"",
                                           {4096, 200, 0.7, -5, THINK_OFF, 20}},
                                          "0123456789abcdef",
                                          WIRE_KEY_BYTES,
                                          "fedcba9876543210",
                                          HASH_BYTES};
        break;
    case MESSAGE_CANCEL:
        m.as.cancel.id = 7;
        break;
    case MESSAGE_ANSWER:
        m.as.answer = (struct answer_message){7,
                                              {CALL_CUT, answer_text,
                                               sizeof answer_text - 1, 10, -1,
                                               20, 30, 40, 50, 60, logprobs}};
        break;
    case MESSAGE_FAULT:
        m.as.fault = (struct fault_message){7, FAULT_BUSY, "busy"};
        break;
    case MESSAGE_GOODBYE:
        m.as.goodbye.open = 3;
        break;
    case MESSAGE_SUBMIT:
        m.as.submit = (struct submit){"run", "{}", "/jobs", two_files, 2};
        break;
    case MESSAGE_ACCEPTED:
        m.as.accepted.job = "care-3f2a";
        m.as.accepted.note = "the job runs already";
        break;
    case MESSAGE_PROGRESS:
        m.as.progress = (struct progress){
            "care", "search", "note", 1, 2,  3,     4,    41, 99,
            0.5,    5,        6,      7, 8,  9,     10,   11, 12,
            0.5,    0.25,     0.75,   6, -1, 123.5, 1000, -1};
        break;
    case MESSAGE_RESULT:
        m.as.result = (struct result){"care", 130, "{}", "{\"a\":1}"};
        break;
    case MESSAGE_COMMAND:
        m.as.command = (struct command){"stop", "care", "{}"};
        break;
    case MESSAGE_REPLY:
        m.as.reply.document = "[]";
        break;
    case MESSAGE_PART:
        m.as.part = (struct part){100000, 61440, "bytes", 5};
        break;
    default:
        break;
    }
    return m;
}

static bool decode(struct message *out)
{
    return message_decode(frame.data, frame.len, &arena, out, &err);
}

// A message with the same contents encodes to the same bytes.
Test(message, every_kind_round_trips)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct message sent = make_sample((enum message_kind)kind);
        struct message got;
        struct buf again = BUF_INIT(WIRE_MAX_BYTES);

        buf_clear(&frame);
        cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
        cr_assert(decode(&got), "%s", err.text);
        cr_expect_eq(got.kind, sent.kind);
        cr_assert(message_encode(&got, &again, &err), "%s", err.text);
        cr_expect(again.len == frame.len &&
                      memcmp(again.data, frame.data, frame.len) == 0,
                  "%s", message_kind_name(sent.kind));
        buf_release(&again);
    }
}

Test(message, first_bytes_of_a_frame_give_its_kind)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct message sent = make_sample((enum message_kind)kind);

        buf_clear(&frame);
        cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
        cr_expect_eq(message_is(frame.data, frame.len, MESSAGE_SUBMIT),
                     kind == MESSAGE_SUBMIT, "%s",
                     message_kind_name(sent.kind));
    }
    cr_expect_not(message_is("\x81\xa4kind", 6, MESSAGE_SUBMIT));
    cr_expect_not(message_is("", 0, MESSAGE_SUBMIT));
}

Test(message, one_file_of_a_job_may_use_the_whole_size_limit)
{
    const size_t len = 48 << 20; // the size of a bundle
    char *data = calloc(1, len);
    struct message got;
    struct wire_file file = {.name = "job.yaml", .data = data, .len = len};
    struct message sent = {.kind = MESSAGE_SUBMIT,
                           .as.submit = {.action = "run",
                                         .options = "{}",
                                         .folder = "",
                                         .files = &file,
                                         .n_files = 1}};

    cr_assert_not_null(data);
    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(message_decode(frame.data, frame.len, &arena, &got, &err), "%s",
              err.text);
    cr_expect_eq(got.as.submit.files[0].len, len);
    free(data);
}

Test(message, frame_matches_the_bytes_in_the_protocol_document)
{
    static const char cancel[] = "\x82\xa4kind\x05\xa2id\x07";
    struct message sent = make_sample(MESSAGE_CANCEL);

    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert_eq(frame.len, sizeof cancel - 1);
    cr_expect_arr_eq(frame.data, cancel, frame.len);
}

Test(message, default_values_are_not_sent)
{
    static const char heartbeat[] = "\x81\xa4kind\x03";
    static const char goodbye[] = "\x81\xa4kind\x08";
    static const char cancel[] = "\x82\xa4kind\x05\xa2id\x00"; // required
    const struct {
        enum message_kind kind;
        const char *bytes;
        size_t len;
    } rows[] = {
        {MESSAGE_HEARTBEAT, heartbeat, sizeof heartbeat - 1},
        {MESSAGE_GOODBYE, goodbye, sizeof goodbye - 1},
        {MESSAGE_CANCEL, cancel, sizeof cancel - 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message sent = {.kind = rows[i].kind};

        buf_clear(&frame);
        cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
        cr_assert_eq(frame.len, rows[i].len);
        cr_expect_arr_eq(frame.data, rows[i].bytes, frame.len);
    }
}

Test(message, heartbeat_lists_leases_or_omits_the_list)
{
    struct message sent = {.kind = MESSAGE_HEARTBEAT};
    struct message got;
    char bytes[WIRE_LEASE_BYTES];

    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(decode(&got), "%s", err.text);
    cr_expect_null(got.as.heartbeat.held);

    buf_clear(&frame);
    sent.as.heartbeat.held = "";
    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(decode(&got), "%s", err.text);
    cr_expect_not_null(got.as.heartbeat.held, "it has none, and says so");
    cr_expect_eq(got.as.heartbeat.held_len, 0);

    lease_write(0x0102, bytes);
    cr_expect_arr_eq(bytes, "\0\0\0\0\0\0\1\2", WIRE_LEASE_BYTES);
    for (int i = 0; i < 63; i++) {
        lease_write((int64_t)1 << i, bytes);
        cr_expect_eq(lease_read(bytes), (int64_t)1 << i);
    }
}

Test(message, a_call_keeps_each_value)
{
    struct message sent = make_sample(MESSAGE_CALL);
    struct message got;

    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(decode(&got), "%s", err.text);
    const struct call_message *call = &got.as.call;
    cr_expect_eq(call->id, 7);
    cr_expect_eq(call->timeout_ms, 30000);
    cr_expect_str_eq(call->digest, "ab12");
    cr_expect_str_eq(call->request.model, "gemma3:270m");
    cr_expect_str_eq(call->request.prefix, "[{\"role\"");
    cr_expect_eq(call->request.prefix_len, 8);
    cr_expect_str_eq(call->request.tail, ":\"user\"}]");
    cr_expect_str_eq(call->request.format, "\"json\"");
    cr_expect_eq(call->request.options.num_ctx, 4096);
    cr_expect_eq(call->request.options.num_predict, 200);
    cr_expect_float_eq(call->request.options.temperature, 0.7, 0);
    cr_expect_eq(call->request.options.seed, -5);
    cr_expect_eq(call->request.options.think, THINK_OFF);
    cr_assert_eq(call->key_len, WIRE_KEY_BYTES);
    cr_expect_arr_eq(call->key, "0123456789abcdef", WIRE_KEY_BYTES);
}

Test(message, lists_and_bytes_keep_each_value)
{
    struct message sent = make_sample(MESSAGE_SUBMIT);
    struct message got;

    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(decode(&got), "%s", err.text);
    cr_assert_eq(got.as.submit.n_files, 2);
    cr_expect_str_eq(got.as.submit.files[1].name, "data.bin");
    cr_expect_eq(got.as.submit.files[1].len, 3);
    cr_expect_arr_eq(got.as.submit.files[1].data, "\0\xff\n", 3);
}

Test(message, free_text_has_no_format_and_other_texts_are_never_null)
{
    struct message sent = make_sample(MESSAGE_CALL);
    struct message got;

    sent.as.call.request.format = NULL;
    sent.as.call.digest = NULL;
    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    cr_assert(decode(&got), "%s", err.text);
    cr_expect_null(got.as.call.request.format);
    cr_expect_str_eq(got.as.call.digest, "");
}

// The copy has exactly the remaining bytes, so the address sanitizer notices
// reads beyond them.
Test(message, a_frame_cut_at_any_byte_is_refused)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct message sent = make_sample((enum message_kind)kind);
        struct message got;

        buf_clear(&frame);
        cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
        for (size_t len = 0; len < frame.len; len++) {
            char *cut = malloc(len + 1);
            cr_assert_not_null(cut);
            char *start = cut + 1;
            memcpy(start, frame.data, len);
            err = ERR_CLEAR;
            cr_expect_not(message_decode(start, len, &arena, &got, &err));
            cr_expect_eq(err.code, ERR_PROTOCOL);
            free(cut);
        }
    }
}

Test(message, bytes_after_the_message_are_refused)
{
    struct message sent = make_sample(MESSAGE_CANCEL);
    struct message got;

    cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
    buf_putc(&frame, 0);
    cr_expect_not(decode(&got));
    cr_expect_eq(err.code, ERR_PROTOCOL);
}

// Frames written by hand: a map of n pairs, then keys and values.
static msgpack_packer packer;

static int append(void *out, const char *data, size_t len)
{
    buf_append(out, data, len);
    return 0;
}

static void begin_map(size_t n, enum message_kind kind)
{
    buf_clear(&frame);
    msgpack_packer_init(&packer, &frame, append);
    msgpack_pack_map(&packer, n + 1);
    msgpack_pack_str_with_body(&packer, "kind", 4);
    msgpack_pack_int(&packer, (int)kind);
}

static void put_key(const char *key)
{
    msgpack_pack_str_with_body(&packer, key, strlen(key));
}

static void put_text(const char *key, const char *text, size_t len)
{
    put_key(key);
    msgpack_pack_str_with_body(&packer, text, len);
}

static void put_int(const char *key, int64_t value)
{
    put_key(key);
    msgpack_pack_int64(&packer, value);
}

Test(message, unknown_keys_are_ignored_with_any_value)
{
    struct message got;

    begin_map(4, MESSAGE_CANCEL);
    put_key("later");
    msgpack_pack_map(&packer, 1);
    put_key("deep");
    msgpack_pack_array(&packer, 2);
    msgpack_pack_nil(&packer);
    msgpack_pack_double(&packer, 1.5);
    put_int("id", 9);
    put_key("raw");
    msgpack_pack_bin_with_body(&packer, "\0\1", 2);
    put_key("ext");
    msgpack_pack_ext_with_body(&packer, "xyz", 3, 5);
    cr_assert(decode(&got), "%s", err.text);
    cr_expect_eq(got.as.cancel.id, 9);
}

Test(message, keys_may_come_in_any_order)
{
    struct message got;

    begin_map(3, MESSAGE_FAULT);
    put_text("text", "x", 1);
    put_int("fault", FAULT_BUSY);
    put_int("id", 3);
    cr_assert(decode(&got), "%s", err.text);
    cr_expect_eq(got.as.fault.id, 3);
    cr_expect_eq(got.as.fault.fault, FAULT_BUSY);
}

static void expect_refused(const char *says)
{
    struct message got;

    err = ERR_CLEAR;
    cr_expect_not(decode(&got), "was taken: %s", says);
    cr_expect_eq(err.code, ERR_PROTOCOL);
    cr_expect_not_null(strstr(err.text, says), "%s", err.text);
}

Test(message, a_missing_required_key_is_named)
{
    begin_map(0, MESSAGE_CANCEL);
    expect_refused("CANCEL message: id is missing");
}

Test(message, duplicate_key_is_refused)
{
    begin_map(2, MESSAGE_CANCEL);
    put_int("id", 1);
    put_int("id", 2);
    expect_refused("id appears twice");
}

Test(message, duplicate_kind_is_refused)
{
    begin_map(2, MESSAGE_CANCEL);
    put_int("id", 1);
    put_int("kind", MESSAGE_CANCEL);
    expect_refused("kind of a message appears twice");
}

Test(message, numbers_out_of_range_or_of_another_type_are_refused)
{
    begin_map(1, MESSAGE_CANCEL);
    put_int("id", -1);
    expect_refused("id is out of range");

    begin_map(1, MESSAGE_CANCEL);
    put_key("id");
    msgpack_pack_uint64(&packer, UINT64_MAX);
    expect_refused("id is out of range");

    begin_map(1, MESSAGE_CANCEL);
    put_text("id", "7", 1);
    expect_refused("id is not an integer");

    begin_map(2, MESSAGE_FAULT);
    put_int("id", 1);
    put_int("fault", FAULT_NONE);
    expect_refused("fault is out of range");

    begin_map(2, MESSAGE_FAULT);
    put_int("id", 1);
    put_int("fault", CALL_FAULT_COUNT);
    expect_refused("fault is out of range");
}

Test(message, nan_is_refused)
{
    begin_map(1, MESSAGE_PROGRESS);
    put_key("best");
    msgpack_pack_double(&packer, NAN);
    expect_refused("best is out of range");
}

Test(message, texts_with_nul_or_broken_utf8_are_refused)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {
        {"a\0b", 3},
        {"abcdefgh\0jklmnopq", 17},
        {"\xff", 1},
        {"abcdefg\xc3", 8},
        {"\xed\xa0\x80", 3},
        {"\xc0\xaf", 2},
        {"12345678\xe2\x82", 10},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin_map(1, MESSAGE_ACCEPTED);
        put_text("job", bad[i].text, bad[i].len);
        expect_refused("job is not UTF-8 text without NUL");
    }
}

Test(message, a_text_may_be_as_long_as_its_cap_and_no_longer)
{
    char text[201];
    struct message got;

    memset(text, 'x', sizeof text);
    begin_map(1, MESSAGE_ACCEPTED);
    put_text("job", text, 200);
    cr_expect(decode(&got), "%s", err.text);
    begin_map(1, MESSAGE_ACCEPTED);
    put_text("job", text, 201);
    expect_refused("job is too long");
}

Test(message, list_of_the_wrong_element_type_is_refused)
{
    begin_map(3, MESSAGE_SUBMIT);
    put_text("action", "run", 3);
    put_int("extra", 1);
    put_key("files");
    msgpack_pack_array(&packer, 1);
    msgpack_pack_int(&packer, 3);
    expect_refused("files has an entry that is not a map");
}

Test(message, text_in_place_of_bytes_is_refused_with_that_reason)
{
    begin_map(2, MESSAGE_SUBMIT);
    put_text("action", "run", 3);
    put_key("files");
    msgpack_pack_array(&packer, 1);
    msgpack_pack_map(&packer, 2);
    put_text("name", "job.yaml", 8);
    put_text("data", "x", 1);
    expect_refused("data is not bytes");
}

Test(message, an_unknown_kind_is_refused)
{
    begin_map(0, (enum message_kind)MESSAGE_KIND_COUNT);
    expect_refused("of an unknown kind");
    buf_clear(&frame);
    buf_putc(&frame, (char)0x80);
    expect_refused("of an unknown kind");
    buf_clear(&frame);
    buf_putc(&frame, (char)0xc0);
    expect_refused("a message that is not a map");
}

// Five bytes that claim 64 GB.
Test(message, a_count_beyond_the_frame_costs_no_memory)
{
    static const char *const greedy[] = {
        "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff",
        "\xdb\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff",
    };

    for (size_t i = 0; i < sizeof greedy / sizeof greedy[0]; i++) {
        buf_clear(&frame);
        buf_append(&frame, greedy[i], 5);
        expect_refused("no complete MessagePack value");
    }
}

Test(message, deep_nesting_is_refused)
{
    buf_clear(&frame);
    for (int i = 0; i < 100000; i++)
        buf_putc(&frame, (char)0x91);
    buf_putc(&frame, 0);
    expect_refused("no complete MessagePack value");
}

Test(message, random_bytes_never_crash_and_always_give_a_reason)
{
    struct rng rng;
    struct message got;

    rng_init(&rng, 1, "random-frames", 0);
    for (int i = 0; i < 20000; i++) {
        buf_clear(&frame);
        size_t len = (size_t)rng_below(&rng, 64);
        for (size_t at = 0; at < len; at++)
            buf_putc(&frame, (char)rng_below(&rng, 256));
        err = ERR_CLEAR;
        if (!message_decode(frame.data == NULL ? "" : frame.data, frame.len,
                            &arena, &got, &err))
            cr_assert_eq(err.code, ERR_PROTOCOL);
        arena_release(&arena);
    }
}

// A valid frame with a few changed bytes is read or refused, and what is read
// can be sent again.
Test(message, whatever_decodes_can_be_encoded)
{
    struct rng rng;
    struct message got;

    rng_init(&rng, 2, "changed-frames", 0);
    for (int i = 0; i < 20000; i++) {
        struct message sent =
            make_sample((enum message_kind)(i % MESSAGE_KIND_COUNT));
        struct buf again = BUF_INIT(WIRE_MAX_BYTES);

        buf_clear(&frame);
        cr_assert(message_encode(&sent, &frame, &err), "%s", err.text);
        for (int change = 0; change < 2; change++)
            frame.data[rng_below(&rng, frame.len)] = (char)rng_below(&rng, 256);
        if (decode(&got))
            cr_assert(message_encode(&got, &again, &err), "%s", err.text);
        buf_release(&again);
        arena_release(&arena);
    }
}

Test(message, message_that_a_peer_would_refuse_is_not_sent)
{
    struct message sent = make_sample(MESSAGE_FAULT);

    buf_puts(&frame, "before");
    sent.as.fault.text = "half a character: \xc3";
    cr_expect_not(message_encode(&sent, &frame, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_str_eq(frame.data, "before");

    sent = make_sample(MESSAGE_CALL);
    sent.as.call.request.options.num_predict = 0;
    cr_expect_not(message_encode(&sent, &frame, &err));
    cr_expect_eq(frame.len, 6);
}
