#include "search/session/ledger.h"

#include <stdlib.h>
#include <string.h>

void used_calls_add(struct used_calls *list, const struct used_call *calls,
                    size_t n)
{
    size_t least = list->n + n;
    size_t cap = list->cap * 2 > least ? list->cap * 2 : least;

    if (n == 0)
        return;
    if (least > list->cap) {
        struct used_call *items = realloc(list->items, cap * sizeof *items);
        if (items == NULL) {
            list->incomplete = true;
            return;
        }
        list->items = items;
        list->cap = cap;
    }
    memcpy(list->items + list->n, calls, n * sizeof *calls);
    list->n = least;
}

void used_calls_release(struct used_calls *list)
{
    free(list->items);
    *list = (struct used_calls){0};
}

struct use use_times(struct use one, size_t n)
{
    return (struct use){one.calls * (int64_t)n, one.tokens * (int64_t)n};
}

struct use use_smaller(struct use a, struct use b)
{
    return (struct use){a.calls < b.calls ? a.calls : b.calls,
                        a.tokens < b.tokens ? a.tokens : b.tokens};
}

void ledger_release(struct ledger *ledger)
{
    free(ledger->seen);
    *ledger = (struct ledger){0};
}

static bool reach(struct ledger *ledger, size_t byte)
{
    size_t len = ledger->seen_len == 0 ? 4096 : ledger->seen_len;
    uint8_t *seen;

    if (byte < ledger->seen_len)
        return true;
    while (len <= byte)
        len *= 2;
    seen = realloc(ledger->seen, len);
    if (seen == NULL)
        return false;
    memset(seen + ledger->seen_len, 0, len - ledger->seen_len);
    ledger->seen = seen;
    ledger->seen_len = len;
    return true;
}

bool ledger_use(struct ledger *ledger, const struct used_call *calls, size_t n,
                struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t byte = (size_t)calls[i].id / 8;
        uint8_t bit = (uint8_t)(1u << ((size_t)calls[i].id % 8));

        if (!reach(ledger, byte)) {
            err_nomem(err, "the list of used calls");
            return false;
        }
        if ((ledger->seen[byte] & bit) != 0)
            continue;
        ledger->seen[byte] |= bit;
        ledger->sum.calls++;
        ledger->sum.tokens += calls[i].tokens;
    }
    return true;
}
