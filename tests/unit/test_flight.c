#include "coordinator/flight.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct flights flights;
static struct err err;

static void set_up(void)
{
    flights = (struct flights){0};
    err = ERR_CLEAR;
}

static void tear_down(void)
{
    flights_release(&flights);
}

TestSuite(flight, .init = set_up, .fini = tear_down);

static struct hash key_of(int n)
{
    return hash_of("test", &n, sizeof n);
}

static struct flight *open_flight(int n)
{
    struct order order = {.ask = {.payload = "tail", .payload_len = 4},
                          .key = key_of(n),
                          .step = "answer"};
    struct flight *flight = flights_open(&flights, &order, &err);

    cr_assert_not_null(flight, "%s", err.text);
    return flight;
}

static struct prefix *prefix_of(const char *text, const char *format)
{
    struct prefix *prefix =
        flights_prefix(&flights, strdup(text), strlen(text),
                       format == NULL ? NULL : strdup(format), &err);

    cr_assert_not_null(prefix, "%s", err.text);
    return prefix;
}

// These tests only tell evaluations apart, and never look into them.
static struct evaluation *someone(int n)
{
    static char people[8];

    return (struct evaluation *)(void *)&people[n];
}

static bool join(struct flight *flight, int who, int part)
{
    struct waiter waiter = {.evaluation = someone(who), .part = part};

    return flight_join(flight, &waiter, &err);
}

static bool is_someone(const struct waiter *waiter, const void *who)
{
    return waiter->evaluation == who;
}

Test(flight, call_in_flight_is_found_by_its_key_and_its_number)
{
    struct hash key = key_of(1), other = key_of(2);
    struct flight *flight = open_flight(1);

    cr_expect_eq(flights_find(&flights, &key), flight);
    cr_expect_eq(flights_find_id(&flights, flight->id), flight);
    cr_expect_null(flights_find(&flights, &other));
    cr_expect_null(flights_find_id(&flights, flight->id + 1));
}

Test(flight, an_order_is_copied_with_its_texts)
{
    char payload[] = "question", step[] = "classify";
    struct order order = {.ask = {.payload = payload, .payload_len = 8},
                          .key = key_of(1),
                          .prefix = prefix_of("[{}", NULL),
                          .step = step};
    struct flight *flight = flights_open(&flights, &order, &err);

    cr_assert_not_null(flight, "%s", err.text);
    memset(payload, 'x', 8);
    memset(step, 'x', 8);
    cr_expect_str_eq(flight->order.ask.payload, "question");
    cr_expect_str_eq(flight->order.step, "classify");
    cr_expect_eq(order.prefix->references, 2);
    prefix_unref(&flights, order.prefix);
}

Test(flight, dropped_call_is_not_found_and_its_number_is_never_reused)
{
    struct hash key = key_of(1);
    struct flight *flight = open_flight(1);
    int64_t id = flight->id;

    flights_drop(&flights, flight);
    cr_expect_null(flights_find(&flights, &key));
    cr_expect_null(flights_find_id(&flights, id));
    cr_expect_eq(flights.n, 0);
    cr_expect_neq(open_flight(1)->id, id);
}

Test(flight, waiters_are_kept_in_order_of_arrival)
{
    struct flight *flight = open_flight(1);
    const struct waiter *waiter;

    for (int i = 0; i < 3; i++)
        cr_assert(join(flight, i, i));
    waiter = flight->waiters;
    for (int i = 0; i < 3; i++, waiter = waiter->next) {
        cr_expect_eq(waiter->evaluation, someone(i));
        cr_expect_eq(waiter->part, i);
    }
    cr_expect_null(waiter);
}

Test(flight, waiter_that_left_is_skipped_and_later_ones_are_notified)
{
    struct flight *flight = open_flight(1);

    cr_assert(join(flight, 0, 0));
    cr_assert(join(flight, 1, 0));
    cr_expect_not(flight_leave(flight, is_someone, someone(1)));
    cr_assert(join(flight, 2, 0));
    cr_expect_eq(flight->waiters->evaluation, someone(0));
    cr_expect_eq(flight->waiters->next->evaluation, someone(2));
    cr_expect_null(flight->waiters->next->next);
    cr_expect_not(flight_leave(flight, is_someone, someone(0)));
    cr_expect(flight_leave(flight, is_someone, someone(2)));
}

Test(flight, a_landed_call_waits_until_its_put_is_durable)
{
    struct hash key = key_of(1);
    struct flight *first = open_flight(1), *second = open_flight(2);

    first->put = 5;
    second->put = 9;
    flights_land(&flights, first);
    flights_land(&flights, second);
    cr_expect_null(flights_take_durable(&flights, 4));
    cr_expect_eq(flights_find(&flights, &key), first,
                 "it can be joined until then");
    cr_expect_eq(flights_take_durable(&flights, 8), first);
    cr_expect_null(flights_find(&flights, &key));
    cr_expect_null(flights_take_durable(&flights, 8));
    flight_close(&flights, first);
    first = open_flight(3);
    first->put = 9;
    flights_land(&flights, first);
    cr_expect_eq(flights_take_durable(&flights, 9), second);
    flight_close(&flights, second);
}

Test(flight, equal_prefixes_are_shared_until_the_last_user_releases_them)
{
    struct prefix *a = prefix_of("[{}", "{}"), *b = prefix_of("[{}", "{}");
    int64_t number = a->number;

    cr_expect_eq(a, b);
    cr_expect_eq(a->references, 2);
    prefix_unref(&flights, a);
    cr_expect_eq(prefix_of("[{}", "{}"), b);
    prefix_unref(&flights, b);
    prefix_unref(&flights, b);
    a = prefix_of("[{}", "{}");
    cr_expect_neq(a->number, number);
    prefix_unref(&flights, a);
}

Test(flight, equal_prefix_texts_keep_their_own_formats)
{
    struct prefix *free_text = prefix_of("[{}", NULL);
    struct prefix *json = prefix_of("[{}", "{\"type\":\"object\"}");
    struct prefix *other = prefix_of("[{}", "{\"type\":\"string\"}");

    cr_expect_null(free_text->format);
    cr_expect_str_eq(json->format, "{\"type\":\"object\"}");
    cr_expect_str_eq(other->format, "{\"type\":\"string\"}");
    cr_expect_eq(memcmp(&json->hash, &other->hash, sizeof json->hash), 0,
                 "the store keeps the text once");
    prefix_unref(&flights, free_text);
    prefix_unref(&flights, json);
    prefix_unref(&flights, other);
}

Test(flight, everything_in_flight_is_freed_at_the_end)
{
    struct flight *flying = open_flight(1), *landed = open_flight(2);

    flying->order.prefix = prefix_of("[{}", NULL);
    landed->order.prefix = prefix_of("[{}", NULL);
    landed->answer.text = strdup("an answer");
    cr_assert(join(flying, 0, 0));
    cr_assert(join(landed, 1, 0));
    flights_land(&flights, landed);
}
