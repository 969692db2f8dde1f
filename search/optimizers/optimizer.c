#include "search/optimizers/optimizer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "program/source/node.h"

enum {
    MAX_PARAMS = 32,
    LIST_BYTES = 400,
    CHECK_BYTES = 1 << 16,
    FEW_ROWS = 30,
};

#define OPTIMIZER(name) extern const struct optimizer name;
#include "search/optimizers/optimizers.def"
#undef OPTIMIZER

const struct optimizer *const optimizers[] = {
#define OPTIMIZER(name) &name,
#include "search/optimizers/optimizers.def"
#undef OPTIMIZER
    NULL,
};

const struct optimizer *optimizer_find(const char *name)
{
    for (size_t i = 0; optimizers[i] != NULL; i++) {
        if (strcmp(optimizers[i]->name, name) == 0)
            return optimizers[i];
    }
    return NULL;
}

static const char *list_names(char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; optimizers[i] != NULL && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s",
                                i > 0 ? ", " : "", optimizers[i]->name);
    return out;
}

static void report_unknown(const struct job *job, struct diags *diags)
{
    const char *names[MAX_PARAMS];
    char list[LIST_BYTES];
    size_t n = 0;

    while (optimizers[n] != NULL) {
        names[n] = optimizers[n]->name;
        n++;
    }
    const char *near = text_nearest(job->optimizer, names, n);
    if (near != NULL)
        diag_add(diags, DIAG_ERROR, "unknown-optimizer", &job->optimizer_place,
                 "unknown optimizer `%s`, did you mean `%s`?", job->optimizer,
                 near);
    else
        diag_add(diags, DIAG_ERROR, "unknown-optimizer", &job->optimizer_place,
                 "unknown optimizer `%s`", job->optimizer);
    diag_remedy(diags, "use one of: %s", list_names(list, sizeof list));
}

static void set_default(const struct param *param, void *params)
{
    char *at = (char *)params + param->offset;

    switch (param->kind) {
    case PARAM_INT:
        *(int64_t *)(void *)at = (int64_t)param->default_value;
        break;
    case PARAM_NUMBER:
        *(double *)(void *)at = param->default_value;
        break;
    case PARAM_BOOL:
        *(bool *)(void *)at = param->default_value != 0;
        break;
    case PARAM_CHOICE:
        *(int *)(void *)at = (int)param->default_value;
        break;
    }
}

// A null means the choice `none`, if there is one.
static const char *choice_text(const struct node *node)
{
    if (node->kind == NODE_NULL)
        return "none";
    return node->kind == NODE_SCALAR ? node->text : "";
}

static void tell_choices(const struct param *param, struct diags *diags)
{
    struct buf list = BUF_INIT(1024);

    for (size_t i = 0; param->choices[i] != NULL; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", param->choices[i]);
    if (list.len > 0 && !list.failed)
        diag_remedy(diags, "use one of: %s", list.data);
    buf_release(&list);
}

static void read_choice(const struct param *param, const struct node *node,
                        int *out, struct diags *diags)
{
    const char *text = choice_text(node);
    size_t n = 0;

    for (; param->choices[n] != NULL; n++) {
        if (strcmp(param->choices[n], text) == 0) {
            *out = (int)n;
            return;
        }
    }
    const char *near = text_nearest(text, param->choices, n);
    diag_add(diags, DIAG_ERROR, "bad-choice", &node->place,
             near != NULL ? "`%s` cannot be `%s`, did you mean `%s`?"
                          : "`%s` cannot be `%s`",
             param->name, text, near);
    tell_choices(param, diags);
}

static void read_param(const struct job *job, const struct param *param,
                       const struct node *node, void *params,
                       struct diags *diags)
{
    char *at = (char *)params + param->offset;

    if (node->kind == NODE_NULL && param->kind != PARAM_CHOICE)
        return;
    if (strcmp(param->name, "seed") == 0) {
        *(int64_t *)(void *)at = job->seed;
        return;
    }
    switch (param->kind) {
    case PARAM_INT:
        node_int(node, param->name, (int64_t)param->min, (int64_t)param->max,
                 (int64_t *)(void *)at, diags);
        break;
    case PARAM_NUMBER:
        node_number(node, param->name, param->min, param->max,
                    (double *)(void *)at, diags);
        break;
    case PARAM_BOOL:
        node_bool(node, param->name, (bool *)(void *)at, diags);
        break;
    case PARAM_CHOICE:
        read_choice(param, node, (int *)(void *)at, diags);
        break;
    }
}

static void read_params(const struct job *job,
                        const struct optimizer *optimizer,
                        const struct node *node, void *params,
                        struct diags *diags)
{
    const char *names[MAX_PARAMS];

    for (size_t i = 0; i < optimizer->n_params; i++)
        names[i] = optimizer->params[i].name;
    node_only_keys(node, optimizer->name, names, optimizer->n_params, diags);
    for (size_t i = 0; i < optimizer->n_params; i++) {
        const struct node *value = node_find(node, names[i]);
        if (value != NULL)
            read_param(job, &optimizer->params[i], value, params, diags);
    }
}

const void *optimizer_params(const struct job *job,
                             const struct optimizer **optimizer,
                             struct arena *arena, struct diags *diags)
{
    const struct optimizer *found =
        job->optimizer != NULL ? optimizer_find(job->optimizer) : optimizers[0];
    const struct node *node = job->optimizer_node;
    size_t errors = diags->errors;

    if (found == NULL) {
        report_unknown(job, diags);
        return NULL;
    }
    assert(found->n_params <= MAX_PARAMS);
    void *params = arena_alloc(arena, found->params_size);
    if (params == NULL) {
        diags->nomem = true;
        return NULL;
    }
    for (size_t i = 0; i < found->n_params; i++)
        set_default(&found->params[i], params);
    if (node != NULL && node->kind == NODE_MAP)
        read_params(job, found, node, params, diags);
    else if (node != NULL && node->kind != NODE_NULL)
        diag_add(diags, DIAG_ERROR, "wrong-kind", &node->place,
                 "the parameters of %s must be a map of names and values",
                 found->name);
    if (diags->errors == errors && found->check != NULL)
        found->check(job, params, diags);
    if (diags->errors != errors || diags->nomem)
        return NULL;
    *optimizer = found;
    return params;
}

void optimizer_check_data(const struct optimizer *optimizer,
                          const struct job *job, const struct dataset *dataset,
                          const struct split *split, struct diags *diags)
{
    char examples[TEXT_COUNTED_BYTES];

    if (optimizer->one_set)
        return;
    if (dataset_size(dataset) < FEW_ROWS) {
        diag_add(
            diags, DIAG_WARNING, "few-examples", &job->data.place,
            "only %s: scores will be too uncertain to tell good prompts "
            "from lucky ones",
            text_counted(examples, (int64_t)dataset_size(dataset), "example"));
        diag_remedy(diags, "label at least %d, preferably 100", FEW_ROWS);
    }
    if (split->test_empty)
        diag_add(diags, DIAG_WARNING, "empty-share", &job->data.place,
                 "no example falls into the test share: nothing will show how "
                 "the result does on unseen examples");
}

void optimizer_check(const struct job *job, struct diags *diags)
{
    struct arena arena = ARENA_INIT(CHECK_BYTES);
    const struct optimizer *found = NULL;

    (void)optimizer_params(job, &found, &arena, diags);
    arena_release(&arena);
}
