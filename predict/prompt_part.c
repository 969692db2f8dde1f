#include "predict/prompt_part.h"

#include "program/prompt/prompt.h"

bool prompt_part_render(struct prompt_part *part,
                        const struct compiled *compiled, size_t s,
                        struct err *err)
{
    const struct step *step = &compiled->program->steps[s];

    if (step->predictor < 0)
        return true;
    for (int form = 0; form < ADAPTER_COUNT; form++) {
        if (!prompt_format(step, (enum adapter)form, &part->formats[form], err))
            return false;
    }
    return prompt_prefix(step, &compiled->candidate->parts[step->predictor],
                         compiled->settings.adapter, &part->prefix, err);
}

void prompt_parts_init(struct prompt_part *parts, size_t n)
{
    for (size_t s = 0; s < n; s++) {
        parts[s].prefix = BUF_INIT(PROMPT_MAX_BYTES);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            parts[s].formats[form] = BUF_INIT(PROMPT_MAX_BYTES);
    }
}

void prompt_parts_release(struct prompt_part *parts, size_t n)
{
    for (size_t s = 0; s < n; s++) {
        buf_release(&parts[s].prefix);
        for (int form = 0; form < ADAPTER_COUNT; form++)
            buf_release(&parts[s].formats[form]);
    }
}
