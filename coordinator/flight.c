#include "coordinator/flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/run/question_cache.h"

void waiter_free(struct flight *flight, struct waiter *waiter)
{
    if (waiter == &flight->first)
        flight->first_taken = false;
    else
        free(waiter);
}

static void free_waiters(struct flight *flight)
{
    while (flight->waiters != NULL) {
        struct waiter *next = flight->waiters->next;

        waiter_free(flight, flight->waiters);
        flight->waiters = next;
    }
}

void flights_release(struct flights *flights)
{
    struct flight *landed;
    struct hash key;
    void *value;
    size_t at = 0;

    while ((landed = flights_take_durable(flights, UINT64_MAX)) != NULL)
        flight_close(flights, landed);
    while (map_next(&flights->by_key, &at, &key, &value))
        flight_close(flights, value);
    map_release(&flights->by_key);
    map_release(&flights->by_id);
    map_release(&flights->prefixes);
}

// Makes a flight with a copy of the order. The texts follow the struct, so that
// a call needs only one allocation. A kept question is shared instead of
// copied.
static struct flight *make_flight(const struct order *order)
{
    const struct ask *ask = &order->ask;
    size_t size = ask->kept != NULL ? 0 : ask->payload_len + 1;
    size_t step_size = strlen(order->step) + 1;
    struct flight *flight = malloc(sizeof *flight + size + step_size);

    if (flight == NULL)
        return NULL;
    *flight = (struct flight){.order = *order, .worker = -1};
    flight->last_waiter = &flight->waiters;
    if (ask->kept != NULL) {
        (void)kept_question_ref(ask->kept);
    } else {
        memcpy(flight->texts, ask->payload, ask->payload_len);
        flight->texts[ask->payload_len] = '\0';
        flight->order.ask.payload = flight->texts;
    }
    flight->order.step = memcpy(flight->texts + size, order->step, step_size);
    return flight;
}

static void free_flight(struct flight *flight)
{
    if (flight != NULL)
        kept_question_unref(flight->order.ask.kept);
    free(flight);
}

// Puts the flight into both maps, or neither.
static bool map_flight(struct flights *flights, struct flight *flight)
{
    struct hash id_key = map_number(flight->id);

    if (!map_put(&flights->by_key, &flight->order.key, flight))
        return false;
    if (map_put(&flights->by_id, &id_key, flight))
        return true;
    map_remove(&flights->by_key, &flight->order.key);
    return false;
}

struct flight *flights_open(struct flights *flights, const struct order *order,
                            struct err *err)
{
    struct flight *flight = make_flight(order);

    if (flight != NULL) {
        flight->id = flights->last_id + 1;
        if (map_flight(flights, flight)) {
            if (order->prefix != NULL)
                order->prefix->references++;
            flights->last_id++;
            flights->n++;
            flights->n_embeddings += order->kind == CALL_EMBED;
            return flight;
        }
    }
    free_flight(flight);
    err_nomem(err, "a call");
    return NULL;
}

struct flight *flights_find(const struct flights *flights,
                            const struct hash *key)
{
    return map_find(&flights->by_key, key);
}

struct flight *flights_find_id(const struct flights *flights, int64_t id)
{
    struct hash key = map_number(id);

    return map_find(&flights->by_id, &key);
}

bool flight_join(struct flight *flight, const struct waiter *waiter,
                 struct err *err)
{
    struct waiter *copy =
        flight->first_taken ? malloc(sizeof *copy) : &flight->first;

    if (copy == NULL) {
        err_nomem(err, "a call");
        return false;
    }
    flight->first_taken = true;
    *copy = *waiter;
    copy->next = NULL;
    *flight->last_waiter = copy;
    flight->last_waiter = &copy->next;
    return true;
}

bool flight_leave(struct flight *flight,
                  bool (*leaves)(const struct waiter *, const void *user),
                  const void *user)
{
    struct waiter **at = &flight->waiters;

    while (*at != NULL) {
        struct waiter *waiter = *at;

        if (leaves(waiter, user)) {
            *at = waiter->next;
            waiter_free(flight, waiter);
        } else {
            at = &waiter->next;
        }
    }
    flight->last_waiter = at;
    return flight->waiters == NULL;
}

void flights_land(struct flights *flights, struct flight *flight)
{
    assert(!flight->landed);
    flight->landed = true;
    if (flights->last_landed == NULL)
        flights->first_landed = flight;
    else
        flights->last_landed->next_landed = flight;
    flights->last_landed = flight;
}

static void unmap(struct flights *flights, struct flight *flight)
{
    struct hash id_key = map_number(flight->id);

    map_remove(&flights->by_key, &flight->order.key);
    map_remove(&flights->by_id, &id_key);
    flights->n--;
    flights->n_embeddings -= flight->order.kind == CALL_EMBED;
}

struct flight *flights_take_durable(struct flights *flights, uint64_t durable)
{
    struct flight *flight = flights->first_landed;

    if (flight == NULL || flight->put > durable)
        return NULL;
    flights->first_landed = flight->next_landed;
    if (flights->first_landed == NULL)
        flights->last_landed = NULL;
    unmap(flights, flight);
    return flight;
}

void flights_drop(struct flights *flights, struct flight *flight)
{
    assert(!flight->landed);
    unmap(flights, flight);
    flight_close(flights, flight);
}

void flight_close(struct flights *flights, struct flight *flight)
{
    if (flight->order.prefix != NULL)
        prefix_unref(flights, flight->order.prefix);
    call_answer_release(&flight->answer);
    free_waiters(flight);
    free_flight(flight);
}

// Two steps may have the same text and yet ask for different formats.
static struct hash with_format(const struct hash *text, const char *format)
{
    struct hasher hasher;

    hasher_init(&hasher, "prefix-format");
    hasher_add_hash(&hasher, text);
    hasher_add_text(&hasher, format);
    return hasher_end(&hasher);
}

struct prefix *flights_prefix(struct flights *flights, char *text, size_t len,
                              char *format, struct err *err)
{
    struct hash hash = hash_of("prefix", text, len);
    struct hash key = with_format(&hash, format);
    struct prefix *prefix = map_find(&flights->prefixes, &key);

    if (prefix != NULL) {
        free(text);
        free(format);
        prefix->references++;
        return prefix;
    }
    prefix = calloc(1, sizeof *prefix);
    if (prefix == NULL || !map_put(&flights->prefixes, &key, prefix)) {
        free(prefix);
        free(text);
        free(format);
        err_nomem(err, "a prompt");
        return NULL;
    }
    *prefix = (struct prefix){.hash = hash,
                              .key = key,
                              .text = text,
                              .len = len,
                              .format = format,
                              .number = ++flights->last_prefix,
                              .references = 1};
    call_key_begin(&prefix->begun, text, len);
    return prefix;
}

void prefix_unref(struct flights *flights, struct prefix *prefix)
{
    assert(prefix->references > 0);
    if (--prefix->references > 0)
        return;
    map_remove(&flights->prefixes, &prefix->key);
    free(prefix->format);
    free(prefix->text);
    free(prefix);
}
