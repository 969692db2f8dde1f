// flight: a call in flight, and who waits for it. Flights are single: a call
// whose key is already in flight is joined, not repeated.
//
//            flights_open             flights_land            commit
//   (none) --------------> FLYING ----------------> LANDED ----------> (gone)
//                            |                             waiters answered
//                            | nobody waits any more
//                            v
//                          (gone, cancelled)
//
// A flight stays until its answer is durable. Only then do its waiters get the
// answer, and only then does the worker get credit for another call
// (flight->lease, flight->worker). Landed flights form a queue in the order of
// their puts. Call only from the loop's thread.

#ifndef COORDINATOR_FLIGHT_H
#define COORDINATOR_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/engine.h"

void flights_release(struct flights *flights); // frees all flights

// Opens a flight for an order whose key has none. Copies the order with its
// payload and its step, and takes a reference to its prefix.
struct flight *flights_open(struct flights *flights, const struct order *order,
                            struct err *err);
struct flight *flights_find(const struct flights *flights,
                            const struct hash *key);
struct flight *flights_find_id(const struct flights *flights, int64_t id);

// Adds a copy of the waiter.
bool flight_join(struct flight *flight, const struct waiter *waiter,
                 struct err *err);
// Frees a waiter that was taken off the flight's list.
void waiter_free(struct flight *flight, struct waiter *waiter);
// Removes the waiters for which leaves(waiter, user) is true. Returns true if
// nobody waits any more.
bool flight_leave(struct flight *flight,
                  bool (*leaves)(const struct waiter *, const void *user),
                  const void *user);

// Queues the flight after those that landed before it.
void flights_land(struct flights *flights, struct flight *flight);
// Removes the oldest landed flight whose put is at most `durable` from the
// queue and the maps, and returns it; NULL if there is none. The caller closes
// it.
struct flight *flights_take_durable(struct flights *flights, uint64_t durable);
// Forgets a flight that has not landed.
void flights_drop(struct flights *flights, struct flight *flight);
void flight_close(struct flights *flights, struct flight *flight);

// Finds or makes the shared prefix with that text. Takes text and format, even
// on failure. Returns a new reference; NULL when out of memory.
struct prefix *flights_prefix(struct flights *flights, char *text, size_t len,
                              char *format, struct err *err);
void prefix_unref(struct flights *flights, struct prefix *prefix);

#endif
