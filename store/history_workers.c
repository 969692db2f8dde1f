// The workers that a coordinator has seen.

#include "store/history.h"

#include "common/clock.h"
#include "store/parts.h"

bool history_put_worker(struct store *store,
                        const struct history_worker *worker, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_WORKER);
    record_text(record, worker->name);
    record_text(record, worker->state);
    record_text(record, or_empty(worker->server));
    record_int(record, worker->slots);
    record_text(record, worker->models != NULL ? worker->models : "[]");
    record_int(record, worker->calls);
    record_text(record, or_empty(worker->last_fault));
    record_int(record, clock_wall_ms());
    record_end(record);
    return store_put(store, err);
}
