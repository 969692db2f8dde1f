// given_program: programs for tests, written as in a job file.

#ifndef TESTS_GIVEN_PROGRAM_H
#define TESTS_GIVEN_PROGRAM_H

#include <string.h>

#include <criterion/criterion.h>

#include "program/graph/program.h"
#include "program/source/node.h"
#include "program/source/yaml.h"

// A whole pipeline: an enum with a limit, plain fields, a composed value, and
// reasoning.
static const char given_customer_care[] =
    "inputs:\n"
    "  user_message: {desc: Raw message from the customer}\n"
    "  policy_context: {desc: Policy snippets, default: \"\"}\n"
    "steps:\n"
    "  classify:\n"
    "    predict: Classify the message into a single intent.\n"
    "    inputs: [user_message]\n"
    "    outputs:\n"
    "      intent: {enum: [track_order, cancel_order, general_query]}\n"
    "      confidence: {type: float, min: 0, max: 1, desc: How sure}\n"
    "  extract:\n"
    "    predict: Extract structured entities.\n"
    "    inputs: [user_message]\n"
    "    outputs:\n"
    "      order_id: {desc: \"Order ID if mentioned, else empty\"}\n"
    "      issue: {desc: One sentence}\n"
    "  entities:\n"
    "    compose: {order_id: extract.order_id, issue: extract.issue}\n"
    "  respond:\n"
    "    chain_of_thought: Write a polite and concise answer.\n"
    "    inputs:\n"
    "      user_message:\n"
    "      intent: classify.intent\n"
    "      entities: entities\n"
    "      policy_context:\n"
    "    outputs:\n"
    "      response: {desc: Under 100 words}\n"
    "outputs:\n"
    "  intent: classify.intent\n"
    "  confidence: classify.confidence\n"
    "  entities: entities\n"
    "  response: respond.response\n";

enum { GIVEN_CLASSIFY, GIVEN_EXTRACT, GIVEN_ENTITIES, GIVEN_RESPOND };

static inline struct program *given_program(const char *yaml)
{
    struct err err = ERR_CLEAR;
    struct arena arena = ARENA_INIT(8 << 20);
    struct diags *diags = diags_new(&err);
    struct program *program = NULL;

    cr_assert(diags != NULL, "%s", err.text);
    struct node *root =
        yaml_parse(&arena, "test.yaml", yaml, strlen(yaml), diags);
    if (root != NULL)
        program = program_parse(root, diags);
    (void)diags_ok(diags, &err);
    diags_free(diags);
    arena_release(&arena);
    cr_assert(program != NULL, "%s", err.text);
    return program;
}

static inline json_t *given_json(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

    cr_assert(value != NULL, "%s in %s", error.text, text);
    return value;
}

#endif
