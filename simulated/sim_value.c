#include "simulated/sim_value.h"

#include <math.h>

#include "simulated/sim_say.h"
#include "simulated/sim_shape.h"
#include "simulated/sim_structure.h"

// Computes the mean of the demos' numbers. Returns false if there are none.
static bool demo_number(const struct sim_ask *ask, size_t field, double *out)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        double one = 0;
        const char *value = prompt->demos[i].values[field];
        if (value == NULL || !sim_shape_number(value, &one))
            continue;
        sum += one;
        n++;
    }
    *out = n == 0 ? 0 : sum / (double)n;
    return n > 0;
}

static double make_number(struct sim_ask *ask, size_t field)
{
    const struct sim_field *out = &ask->task->prompt.outputs[field];
    bool share = out->has_min && out->has_max && out->max - out->min <= 1.0;
    double value = 0;
    if (share || sim_has_word(out->name, "confidence") ||
        sim_has_word(out->name, "probability"))
        value = 0.5 + 0.49 * ask->margin;
    else if (!sim_shape_number(ask->turn->joined, &value) &&
             !demo_number(ask, field, &value))
        value = out->has_max ? (out->min + out->max) / 2 : out->min + 1;
    return sim_field_limit(out, value);
}

static const char *put_number(struct sim_ask *ask, size_t field)
{
    double value = make_number(ask, field);
    if (ask->task->prompt.outputs[field].kind == SIM_INT)
        return arena_printf(ask->arena, "%.0f", fmin(fmax(value, -1e15), 1e15));
    return arena_printf(ask->arena, "%.2f", fmin(fmax(value, -1e15), 1e15));
}

bool sim_value_make(struct sim_ask *ask, size_t field, struct err *err)
{
    enum sim_kind kind = ask->task->prompt.outputs[field].kind;
    double margin = 0;
    const char *value = sim_ask_label(ask, field, &margin);
    if (value != NULL)
        ask->margin = ask->margin > 0 ? ask->margin : margin;
    else if (kind == SIM_INT || kind == SIM_FLOAT)
        value = put_number(ask, field);
    else if (kind == SIM_LIST || kind == SIM_OBJECT)
        value = sim_structure_make(ask, field);
    else
        value = sim_say(ask, field);
    ask->is_json[field] = kind != SIM_TEXT && kind != SIM_LABEL;
    ask->values[field] = value;
    if (value == NULL)
        err_nomem(err, "an answer");
    return value != NULL;
}
