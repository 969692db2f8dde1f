#include "search/toolkit/instruction.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static void expect_clean(const char *text, const char *expected)
{
    char *clean = instruction_clean(text);
    cr_expect_str_eq(clean, expected, "from <%s> came <%s>", text, clean);
    free(clean);
}

Test(instruction, labels_quotes_and_fences_around_the_text_are_removed)
{
    expect_clean("  Do it.\n", "Do it.");
    expect_clean("Instruction: Do it.", "Do it.");
    expect_clean("**Proposed Instruction:** Do it.", "Do it.");
    expect_clean("## New instruction: Do it.", "Do it.");
    expect_clean("\"Do it.\"", "Do it.");
    expect_clean("Instruction: \"Do it.\"", "Do it.");
    expect_clean("```\nDo it.\n```", "Do it.");
    expect_clean("```text\nInstruction: Do it.\n```", "Do it.");
    expect_clean("\u201cDo it.\u201d", "Do it.");
    expect_clean("  ", "");
}

Test(instruction, good_text_stays_as_it_is)
{
    expect_clean("Given a: decide b: then c.", "Given a: decide b: then c.");
    expect_clean("Answer \"yes\" or \"no\"", "Answer \"yes\" or \"no\"");
    expect_clean("\"yes\" is right, so is \"no\"",
                 "\"yes\" is right, so is \"no\"");
    expect_clean("**Important:** read all.", "**Important:** read all.");
    expect_clean("Instructions follow. Read them.",
                 "Instructions follow. Read them.");
    expect_clean("Instruction: **Read** all.", "**Read** all.");
}

Test(instruction, a_text_that_is_too_long_ends_with_a_sentence)
{
    static char text[INSTRUCTION_MAX_BYTES + 100];

    memset(text, 'x', sizeof text - 1);
    memcpy(text + INSTRUCTION_MAX_BYTES - 500, ". ", 2);
    char *clean = instruction_clean(text);
    cr_expect_eq(strlen(clean), INSTRUCTION_MAX_BYTES - 499);
    free(clean);
}
