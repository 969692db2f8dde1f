// ring: a doubly linked list with its links embedded in the members.
//
// A head and its members form one circle. Nothing is allocated, so adding a
// member cannot fail, and removing one does not need the head. A member that is
// in no list points at itself, and so does the head of an empty list.

#ifndef DISPATCH_RING_H
#define DISPATCH_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *next;
    struct ring *prev;
};

// Yields the struct of this type that contains *pointer as that member.
#define RING_OWNER(pointer, type, member)                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void ring_init(struct ring *ring)
{
    ring->next = ring;
    ring->prev = ring;
}

// For a head: the list is empty. For a member: it is in no list.
static inline bool ring_empty(const struct ring *ring)
{
    return ring->next == ring;
}

// Does nothing to a member that is in no list.
static inline void ring_remove(struct ring *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    ring_init(member);
}

// Inserts `member`, which must be in no list, before `at`. If `at` is the head,
// that is the end of the list.
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
