// Whatever the bytes are, a reply gives every output, each valid for its type,
// or a sentence that says what is wrong.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/graph/type_check.h"
#include "program/prompt/reply.h"
#include "program/source/node.h"
#include "program/source/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "inputs: {question: {}}\n"
    "steps:\n"
    "  sort:\n"
    "    predict: Sort.\n"
    "    inputs: [question]\n"
    "    outputs:\n"
    "      label: {enum: [A, B, \"not sure\", refund, refund_request]}\n"
    "      score: {type: float, min: 0, max: 1}\n"
    "  page:\n"
    "    chain_of_thought: Write.\n"
    "    inputs: [question]\n"
    "    outputs: {title: {}, body: {optional: true}}\n"
    "  many:\n"
    "    predict: List.\n"
    "    inputs: [question]\n"
    "    outputs: {names: {list: str}, sizes: {list: int}}\n"
    "  facts:\n"
    "    predict: Tell.\n"
    "    inputs: [question]\n"
    "    outputs:\n"
    "      facts: {object: {size: int, note: {type: str, optional: true}}}\n"
    "      right: {type: bool}\n"
    "outputs:\n"
    "  label: sort.label\n"
    "  title: page.title\n"
    "  names: many.names\n"
    "  facts: facts.facts\n";

static struct program *make_program(void)
{
    struct err err = ERR_CLEAR;
    struct arena arena = ARENA_INIT(8 << 20);
    struct diags *diags = diags_new(&err);
    struct program *program = NULL;
    struct node *root = diags == NULL ? NULL
                                      : yaml_parse(&arena, "fuzz.yaml", yaml,
                                                   strlen(yaml), diags);

    if (root != NULL)
        program = program_parse(root, diags);
    if (program == NULL)
        abort();
    diags_free(diags);
    arena_release(&arena);
    return program;
}

static void expect_outputs(const struct step *step, const json_t *outputs)
{
    struct err err = ERR_CLEAR;

    if (json_object_size(outputs) != step->signature.n_outputs)
        abort();
    for (size_t i = 0; i < step->signature.n_outputs; i++) {
        const struct field *field = &step->signature.outputs[i];
        const json_t *value = json_object_get(outputs, field->name);

        if (!json_is_null(value) &&
            !type_check(&field->type, field->name, value, &err))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct program *program;
    struct err problem = ERR_CLEAR;
    json_t *outputs = NULL;
    unsigned lenient = 0;

    if (program == NULL)
        program = make_program();
    if (size == 0)
        return 0;
    const struct step *step = &program->steps[data[0] % program->n_steps];
    enum adapter adapter = (data[0] & 0x10) != 0 ? ADAPTER_JSON : ADAPTER_CHAT;
    uint64_t reads = (data[0] & 0x20) != 0 ? 1 : UINT64_MAX;
    const struct reply_asked asked = {
        .step = step, .adapter = adapter, .reads = reads};
    const struct span text = {(const char *)data + 1, size - 1};

    (void)reply_is_closed(&asked, text);
    if (reply_parse(&asked, text, &outputs, &lenient, &problem))
        expect_outputs(step, outputs);
    else if (problem.code != ERR_INPUT || problem.text[0] == '\0')
        abort();
    json_decref(outputs);
    return 0;
}
