#include "predict/inputs.h"

#include <string.h>

#include "common/text.h"
#include "program/graph/program.h"

static void refuse_name(const struct field *fields, size_t n, const char *name,
                        struct err *err)
{
    const char *names[PROGRAM_MAX_FIELDS] = {NULL};
    struct buf list = BUF_INIT(120);
    const char *near;

    n = n < PROGRAM_MAX_FIELDS ? n : PROGRAM_MAX_FIELDS;
    for (size_t i = 0; i < n; i++) {
        names[i] = fields[i].name;
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    near = text_nearest(name, names, n);
    if (near != NULL)
        err_set(err, ERR_INPUT, "there is no input `%.60s`, did you mean `%s`?",
                name, near);
    else
        err_set(err, ERR_INPUT, "there is no input `%.60s`; the inputs are %s",
                name, list.data == NULL ? "(none)" : list.data);
    buf_release(&list);
}

const struct field *inputs_find(const struct field *fields, size_t n,
                                const char *name, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    refuse_name(fields, n, name, err);
    return NULL;
}

bool inputs_check_names(const struct field *fields, size_t n,
                        const json_t *values, struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(values)) {
        err_set(err, ERR_INPUT, "the inputs are not a JSON object");
        return false;
    }
    json_object_foreach((json_t *)values, name, value) {
        if (inputs_find(fields, n, name, err) == NULL)
            return false;
    }
    return true;
}
