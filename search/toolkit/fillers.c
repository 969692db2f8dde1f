#include "search/toolkit/fillers.h"

#include <stdlib.h>

#include "common/buf.h"

enum { FILL_MAX_BYTES = 1 << 20 };

struct filler {
    int step;
    uint64_t known; // bit f set: output f is shown, not asked for
    struct form form;
    struct filler *next;
};

void fillers_release(struct fillers *fillers)
{
    struct filler *filler = fillers->first;

    while (filler != NULL) {
        struct filler *next = filler->next;
        form_release(&filler->form);
        free(filler);
        filler = next;
    }
}

static void write_instruction(const struct signature *signature, uint64_t known,
                              struct buf *out)
{
    buf_puts(out, signature->instruction);
    if (known == 0)
        return;
    buf_puts(out, "\n\nA part of the answer is known already and stands among "
                  "the inputs:");
    for (size_t i = 0; i < signature->n_outputs; i++) {
        if ((known >> i & 1) != 0)
            buf_printf(out, " `%s`", signature->outputs[i].name);
    }
    buf_puts(out, ". It is right. Give the fields that are missing, so that "
                  "they agree with it and lead up to it.");
}

static bool init_filler(struct filler *filler,
                        const struct signature *signature, struct err *err)
{
    struct buf text = BUF_INIT(FILL_MAX_BYTES);
    struct field inputs[2 * PROGRAM_MAX_FIELDS];
    struct field outputs[PROGRAM_MAX_FIELDS];
    size_t n_inputs = 0;
    size_t n_outputs = 0;

    for (size_t i = 0; i < signature->n_inputs; i++)
        inputs[n_inputs++] = signature->inputs[i];
    for (size_t i = 0; i < signature->n_outputs; i++) {
        if ((filler->known >> i & 1) != 0)
            inputs[n_inputs++] = signature->outputs[i];
        else
            outputs[n_outputs++] = signature->outputs[i];
    }
    write_instruction(signature, filler->known, &text);
    bool ok = buf_ok(&text, "an instruction", err) &&
              form_init(&filler->form,
                        &(struct single_step){
                            .name = "fill",
                            .instruction = text.data != NULL ? text.data : "",
                            .inputs = inputs,
                            .n_inputs = n_inputs,
                            .outputs = outputs,
                            .n_outputs = n_outputs},
                        err);
    buf_release(&text);
    return ok;
}

const struct form *fillers_get(struct fillers *fillers,
                               const struct program *program, int step,
                               uint64_t known, struct err *err)
{
    struct filler *filler = fillers->first;

    while (filler != NULL && (filler->step != step || filler->known != known))
        filler = filler->next;
    if (filler != NULL)
        return &filler->form;
    filler = calloc(1, sizeof *filler);
    if (filler == NULL) {
        err_nomem(err, "labelled demos");
        return NULL;
    }
    filler->step = step;
    filler->known = known;
    if (!init_filler(filler, &program->steps[step].signature, err)) {
        free(filler);
        return NULL;
    }
    filler->next = fillers->first;
    fillers->first = filler;
    return &filler->form;
}
