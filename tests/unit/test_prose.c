#include "search/toolkit/prose.h"

#include <criterion/criterion.h>

#include "common/json.h"

// The inputs of a proposer.
static struct field inputs[] = {
    {.name = "program_description"},
    {.name = "task_demos"},
    {.name = "basic_instruction"},
};
static struct field outputs[] = {{.name = "proposed_instruction"}};
static const struct step asked = {
    .name = "propose",
    .signature = {.instruction = "Write a better instruction for one step of a "
                                 "program.",
                  .inputs = inputs,
                  .n_inputs = 3,
                  .outputs = outputs,
                  .n_outputs = 1}};
static json_t *shown;

static void set_up(void)
{
    shown = json_pack("{s:s, s:s, s:s}", "program_description",
                      "The program sorts the mail of a bank by what is asked.",
                      "task_demos", "message: my card is gone\nintent: lost",
                      "basic_instruction", "Classify the message.");
}

static void tear_down(void)
{
    json_decref(shown);
}

TestSuite(prose, .init = set_up, .fini = tear_down);

static void expect_fault(const char *text, const char *fault)
{
    const char *found = prose_fault(text, &asked, shown);

    cr_assert_not_null(found, "<%s> passes", text);
    cr_expect_str_eq(found, fault, "<%s>: %s", text, found);
}

static void expect_none(const char *text)
{
    const char *found = prose_fault(text, &asked, shown);

    cr_expect_null(found, "<%s>: %s", text, found);
}

Test(prose, a_lone_bracket_has_no_words)
{
    expect_fault("", "it has no words");
    expect_fault(" \n", "it has no words");
    expect_fault("{", "it has no words");
    expect_fault("[ ]", "it has no words");
    expect_fault("1.", "it has no words");
}

Test(prose, placeholder_of_the_prompt_is_rejected)
{
    expect_fault("{basic_instruction}", "it is a placeholder of the prompt");
    expect_fault("${proposed_instruction}",
                 "it is a placeholder of the prompt");
    expect_fault("Do as {basic_instruction} says.",
                 "it is a placeholder of the prompt");
    expect_fault("<instruction>", "it is a placeholder of the prompt");
    expect_fault(" {your_text}\n", "it is a placeholder of the prompt");
}

Test(prose, markup_of_the_examples_is_rejected)
{
    expect_fault("[[ ## proposed_instruction ## ]] Do it",
                 "it is markup of the prompt");
    expect_fault("Classify it.<|im_end|>", "it is markup of the prompt");
    expect_fault("{\"proposed_instruction\": \"Classify",
                 "it is markup of the prompt");
}

Test(prose, fragment_of_the_prompt_is_rejected)
{
    expect_fault("Write a better instruction for one step",
                 "it repeats the prompt");
    expect_fault("the  program SORTS the mail of a bank",
                 "it repeats the prompt");
    expect_fault("So: The program sorts the mail of a bank by what is asked. "
                 "Now you.",
                 "it repeats the prompt");
}

Test(prose, plausible_instruction_is_accepted)
{
    expect_none("Classify the message.");
    expect_none("Classify the message. Read it twice before you answer.");
    expect_none("Say what the customer wants; answer {\"intent\": ...} only.");
    expect_none("Choose one of [lost, stolen] for the card.");
    expect_none("Sort.");
    expect_none("\u8bf7\u5206\u7c7b");
}

Test(prose, case_and_white_space_do_not_make_a_different_text)
{
    cr_expect(prose_same("Classify  the\nmessage. ", "classify the message."));
    cr_expect(prose_same("\u00c4ndern", "\u00e4ndern"));
    cr_expect_not(prose_same("Classify the message", "Classify the message."));
}
