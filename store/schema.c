#include "store/schema.h"

#include <assert.h>

#include "store/store.h"

// Generated from schema_1.sql, ... at build time.
extern const char schema_1[], schema_2[], schema_3[], schema_4[], schema_5[],
    schema_6[], schema_7[], schema_8[], schema_9[], schema_10[], schema_11[];

static const char *const steps[] = {schema_1, schema_2,  schema_3, schema_4,
                                    schema_5, schema_6,  schema_7, schema_8,
                                    schema_9, schema_10, schema_11};

_Static_assert(sizeof steps / sizeof steps[0] == STORE_VERSION,
               "every version has its step");

const char *schema_step(int version)
{
    assert(version >= 1 && version <= STORE_VERSION);
    return steps[version - 1];
}
