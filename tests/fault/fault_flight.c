#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/flight.h"
#include "coordinator/models.h"
#include "fault/alloc_fault.h"
#include "search/session/ledger.h"

enum { FLIGHTS = 40 };

static struct prefix *share_prefix(struct flights *flights, int n,
                                   struct err *err)
{
    char text[16];
    char *copy;

    text[0] = '[';
    text[1] = (char)('a' + n % 3);
    text[2] = '\0';
    copy = strdup(text);
    if (copy == NULL) {
        err_nomem(err, "a prompt");
        return NULL;
    }
    return flights_prefix(flights, copy, 2, NULL, err);
}

// Opens a flight as an evaluation does; each step may fail.
static bool open_one(struct flights *flights, int n, struct err *err)
{
    struct order order = {.ask = {.payload = "tail", .payload_len = 4},
                          .key = hash_of("test", &n, sizeof n),
                          .prefix = share_prefix(flights, n, err),
                          .step = "answer"};
    struct waiter waiter = {.part = 0};
    struct flight *flight = NULL;

    if (order.prefix != NULL) {
        flight = flights_open(flights, &order, err);
        prefix_unref(flights, order.prefix);
    }
    if (flight == NULL)
        return false;
    flight->put = (uint64_t)n;
    if (!flight_join(flight, &waiter, err) ||
        !flight_join(flight, &waiter, err)) {
        flights_drop(flights, flight);
        return false;
    }
    if (n % 4 != 0)
        flights_land(flights, flight);
    return true;
}

static bool fly(struct err *err)
{
    struct flights flights = {0};
    struct flight *durable;
    bool ok = true;
    size_t landed = 0;

    for (int n = 1; ok && n <= FLIGHTS; n++)
        ok = open_one(&flights, n, err);
    while ((durable = flights_take_durable(&flights, FLIGHTS / 2)) != NULL) {
        landed++;
        flight_close(&flights, durable);
    }
    if (ok)
        cr_assert_eq(landed, FLIGHTS / 2 - FLIGHTS / 2 / 4);
    flights_release(&flights);
    return ok;
}

Test(flight, every_failing_allocation_leaves_no_call_half_open)
{
    // A flight, a second waiter, and the shared data; the first waiter's place
    // is part of the flight.
    cr_expect_geq(fault_each(fly), 3 * FLIGHTS);
}

static bool count(struct err *err)
{
    struct ledger ledger = {0};
    bool ok = true;

    for (int64_t id = 1; ok && id < 1000000; id *= 3) {
        struct used_call call = {.id = id, .tokens = 1};

        ok = ledger_use(&ledger, &call, 1, err);
    }
    ledger_release(&ledger);
    return ok;
}

Test(flight, ledger_reports_every_failing_allocation)
{
    cr_expect_geq(fault_each(count), 3);
}

static bool name_models(struct err *err)
{
    struct models models = {0};
    char name[] = "model-a";
    bool ok = true;

    for (int i = 0; ok && i < 20; i++) {
        name[6] = (char)('a' + i);
        ok = models_use(&models, name, "digest", err) == i;
    }
    models_release(&models);
    return ok;
}

Test(flight, models_report_every_failing_allocation)
{
    cr_expect_geq(fault_each(name_models), 40);
}
