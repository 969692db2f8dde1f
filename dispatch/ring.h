// ring: a doubly linked list whose links live in what is listed.
//
// A head and its members form one circle. Nothing is allocated, so putting a
// thing into a list cannot fail; taking it out needs no head. A member that is
// in no list points at itself, and so does the head of an empty one.

#ifndef DISPATCH_RING_H
#define DISPATCH_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *next;
    struct ring *prev;
};

// The struct of this type that holds *pointer as its member.
#define RING_OWNER(pointer, type, member)                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void ring_init(struct ring *ring)
{
    ring->next = ring;
    ring->prev = ring;
}

// For a head: nothing is listed. For a member: it is in no list.
static inline bool ring_empty(const struct ring *ring)
{
    return ring->next == ring;
}

// A member in no list stays so.
static inline void ring_remove(struct ring *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    ring_init(member);
}

// member must be in no list; it goes before `at`. With a head: to the end.
static inline void ring_insert(struct ring *at, struct ring *member)
{
    member->next = at;
    member->prev = at->prev;
    at->prev->next = member;
    at->prev = member;
}

static inline void ring_push_back(struct ring *head, struct ring *member)
{
    ring_insert(head, member);
}

static inline void ring_push_front(struct ring *head, struct ring *member)
{
    ring_insert(head->next, member);
}

#endif
