#include "program/prompt/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/rng.h"
#include "given_program.h"
#include "program/graph/type_check.h"

static const char yaml[] =
    "inputs: {question: {}}\n"
    "steps:\n"
    "  sort:\n"
    "    predict: Sort.\n"
    "    inputs: [question]\n"
    "    outputs:\n"
    "      intent: {enum: [track_order, \"Refund me\", yes-sir, yes_sir, "
    "YES]}\n"
    "      confidence: {type: float, min: 0, max: 1}\n"
    "  name:\n"
    "    predict: Name.\n"
    "    inputs: [question]\n"
    "    outputs: {title: {}}\n"
    "  count:\n"
    "    predict: Count.\n"
    "    inputs: [question]\n"
    "    outputs: {amount: {type: int, max: 5000}}\n"
    "  think:\n"
    "    chain_of_thought: Think.\n"
    "    inputs: [question]\n"
    "    outputs: {answer: {}}\n"
    "  judge:\n"
    "    predict: Judge.\n"
    "    inputs: [question]\n"
    "    outputs: {right: {type: bool}}\n"
    "  rate:\n"
    "    predict: Rate.\n"
    "    inputs: [question]\n"
    "    outputs: {rate: {type: float}}\n"
    "  tags:\n"
    "    predict: Tag.\n"
    "    inputs: [question]\n"
    "    outputs: {tags: {list: {enum: [red, blue]}}}\n"
    "  facts:\n"
    "    predict: Facts.\n"
    "    inputs: [question]\n"
    "    outputs:\n"
    "      facts: {object: {size: int, note: {type: str, optional: true}}}\n"
    "  maybe:\n"
    "    predict: Maybe.\n"
    "    inputs: [question]\n"
    "    outputs: {year: {type: int, optional: true}}\n"
    "  code:\n"
    "    predict: Code.\n"
    "    inputs: [question]\n"
    "    outputs: {code: {type: str, optional: true, pattern: '^[A-Z]+$'}}\n"
    "  note:\n"
    "    predict: Note.\n"
    "    inputs: [question]\n"
    "    outputs: {note: {type: str, optional: true}}\n"
    "  pair:\n"
    "    predict: Pair.\n"
    "    inputs: [question]\n"
    "    outputs: {answer: {}, Answer: {}}\n"
    "  page:\n"
    "    predict: Page.\n"
    "    inputs: [question]\n"
    "    outputs: {title: {}, body: {}}\n"
    "  pick:\n"
    "    predict: Pick.\n"
    "    inputs: [question]\n"
    "    outputs: {pick: {enum: [A, B, C]}}\n"
    "  names:\n"
    "    predict: Names.\n"
    "    inputs: [question]\n"
    "    outputs: {names: {list: str}}\n"
    "  sizes:\n"
    "    predict: Sizes.\n"
    "    inputs: [question]\n"
    "    outputs: {sizes: {list: int}}\n"
    "  version:\n"
    "    predict: Version.\n"
    "    inputs: [question]\n"
    "    outputs: {version: {enum: [\"1.1\", \"1.10\"]}}\n"
    "outputs:\n"
    "  intent: sort.intent\n"
    "  confidence: sort.confidence\n"
    "  title: name.title\n"
    "  amount: count.amount\n"
    "  answer: think.answer\n"
    "  right: judge.right\n"
    "  rate: rate.rate\n"
    "  tags: tags.tags\n"
    "  facts: facts.facts\n"
    "  year: maybe.year\n"
    "  code: code.code\n"
    "  note: note.note\n"
    "  lower: pair.answer\n"
    "  upper: pair.Answer\n"
    "  page_title: page.title\n"
    "  page_body: page.body\n"
    "  pick: pick.pick\n"
    "  names: names.names\n"
    "  sizes: sizes.sizes\n"
    "  version: version.version\n";

static struct program *program;
static struct err err;

static void open_program(void)
{
    err = ERR_CLEAR;
    program = given_program(yaml);
}

static void close_program(void)
{
    program_free(program);
}

TestSuite(reply, .init = open_program, .fini = close_program);

// A reply, and the outputs or the problem that result from it.
struct row {
    const char *step;
    enum adapter adapter;
    uint64_t reads;
    const char *text;
    const char *outputs;
    const char *problem;
    unsigned lenient;
};

#define ALL UINT64_MAX
#define CHAT ADAPTER_CHAT
#define JSON ADAPTER_JSON
#define END "\n\n[[ ## completed ## ]]"

static const struct step *find_step(const char *name)
{
    int step = program_find_step(program, name);

    cr_assert(step >= 0, "%s", name);
    return &program->steps[step];
}

static void expect_row(const struct row *row)
{
    struct err problem = ERR_CLEAR;
    unsigned lenient = 0;
    json_t *outputs = NULL;
    const struct reply_asked asked = {.step = find_step(row->step),
                                      .adapter = row->adapter,
                                      .reads = row->reads};
    bool ok = reply_parse(&asked, (struct span){row->text, strlen(row->text)},
                          &outputs, &lenient, &problem);

    if (row->problem != NULL) {
        cr_expect_not(ok, "%s", row->text);
        cr_expect_str_eq(problem.text, row->problem, "%s: %s", row->text,
                         problem.text);
    } else {
        char *text = json_text(outputs);
        cr_assert(ok, "%s: %s", row->text, problem.text);
        cr_expect_str_eq(text, row->outputs, "%s: %s", row->text, text);
        cr_expect_eq(lenient, row->lenient, "%s: %x", row->text, lenient);
        free(text);
    }
    json_decref(outputs);
}

static void expect_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_row(&rows[i]);
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(rows)[0])

Test(reply, is_read_strictly_in_the_form_that_was_asked_for)
{
    static const struct row rows[] = {
        {"sort", CHAT, ALL,
         "[[ ## intent ## ]]\ntrack_order\n\n[[ ## confidence ## ]]\n0.5" END,
         "{\"intent\":\"track_order\",\"confidence\":0.5}", NULL, 0},
        {"sort", CHAT, ALL,
         "[[ ## confidence ## ]]\n1\n[[ ## intent ## ]]\nyes_sir" END,
         "{\"intent\":\"yes_sir\",\"confidence\":1}", NULL, 0},
        {"sort", JSON, ALL, " {\"intent\": \"YES\", \"confidence\": 0.25}\n",
         "{\"intent\":\"YES\",\"confidence\":0.25}", NULL, 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nTwo\n\nlines [[ x ]]" END,
         "{\"title\":\"Two\\n\\nlines [[ x ]]\"}", NULL, 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]" END, "{\"title\":\"\"}", NULL,
         0},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n[\"red\", \"blue\"]" END,
         "{\"tags\":[\"red\",\"blue\"]}", NULL, 0},
        {"maybe", CHAT, ALL, "[[ ## year ## ]]\nnull" END, "{\"year\":null}",
         NULL, 0},
        {"judge", CHAT, ALL, "[[ ## right ## ]]\nfalse" END,
         "{\"right\":false}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_other_markers)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "**[[ ## Title ## ]]** A" END, "{\"title\":\"A\"}",
         NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "  [[##title##]]\nA" END, "{\"title\":\"A\"}", NULL,
         LENIENT_MARKER},
        {"name", CHAT, ALL, "[[title]]\nA" END, "{\"title\":\"A\"}", NULL,
         LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA", "{\"title\":\"A\"}", NULL,
         LENIENT_END},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA" END "\nBye",
         "{\"title\":\"A\"}", NULL, LENIENT_END},
        {"name", CHAT, ALL, "Sure!\n[[ ## title ## ]]\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## question ## ]]\nQ\n[[ ## title ## ]]\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]: A" END, "{\"title\":\"A\"}",
         NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[title]] **A**", "{\"title\":\"**A**\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"sort", CHAT, ALL, "**Intent**: track_order\nConfidence: 0.5",
         "{\"intent\":\"track_order\",\"confidence\":0.5}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"think", CHAT, ALL, "Because.\n[[ ## answer ## ]]\n4" END,
         "{\"reasoning\":\"Because.\",\"answer\":\"4\"}", NULL, LENIENT_BARE},
        {"name", CHAT, ALL,
         "<think>[[ ## title ## ]] no</think>\n"
         "[[ ## title ## ]]\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE},
    };

    EXPECT_ROWS(rows);
}

// Text after a name belongs to the value, including quotes and emphasis.
Test(reply, may_have_names_and_colons_as_markers)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "Title: \"A\"", "{\"title\":\"\\\"A\\\"\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "Title: *A*", "{\"title\":\"*A*\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "**Title:** `A` b", "{\"title\":\"`A` b\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "**Title:**A", "{\"title\":\"A\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "### **Title**\nA", "{\"title\":\"A\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"page", CHAT, ALL, "\"title\": \"Weather\",\n\"body\": \"It rains.\"",
         "{\"title\":\"Weather\",\"body\":\"It rains.\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
    };

    EXPECT_ROWS(rows);
}

#define TWICE "there is more than one section [[ ## title ## ]]"

Test(reply, with_a_repeated_field_is_read_if_only_one_value_is_meant)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n[[ ## title ## ]]\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n[[ ## title ## ]]\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n[[ ## title ## ]]" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        // The turn of another exchange.
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\nA\n[[ ## question ## ]]\nQ\n"
         "[[ ## title ## ]]\nB" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\nA [[ ## completed ## ]]\n\n[[ ## title ## "
         "]]\nB" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER | LENIENT_END},
        // In doubt.
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n[[ ## title ## ]]\nB" END,
         NULL, TWICE, 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n[title]" END, NULL, TWICE, 0},
        {"name", CHAT, ALL, "Title: A\nTitle: B", NULL, TWICE, 0},
        {"name", CHAT, ALL, "{\"title\": \"A\"}\n{\"title\": \"B\"}", NULL,
         "the section [[ ## title ## ]] is missing", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_wrap_a_text_in_a_list)
{
    static const struct row rows[] = {
        {"name", JSON, ALL, "{\"title\": [\"A\"]}", "{\"title\":\"A\"}", NULL,
         LENIENT_FORM},
        {"pick", JSON, ALL, "{\"pick\": [\"B\"]}", "{\"pick\":\"B\"}", NULL,
         LENIENT_LABEL},
        {"name", JSON, ALL, "{\"title\": [\"A\", \"B\"]}",
         "{\"title\":\"[\\\"A\\\",\\\"B\\\"]\"}", NULL, LENIENT_FORM},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_its_own_name_and_value_as_json_in_a_section)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "[[ ## title ## ]]\n{\"title\": \"A\"}" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FORM},
        {"pick", CHAT, ALL,
         "[[ ## pick ## ]]\n```json\n{\"pick\": \"B\"}\n```" END,
         "{\"pick\":\"B\"}", NULL, LENIENT_FORM | LENIENT_FENCE},
        {"judge", CHAT, ALL, "[[ ## right ## ]]\n{'Right': true}" END,
         "{\"right\":true}", NULL, LENIENT_FORM | LENIENT_MENDED},
        {"facts", CHAT, ALL,
         "[[ ## facts ## ]]\n{\"facts\": {\"size\": 3}}" END,
         "{\"facts\":{\"size\":3,\"note\":null}}", NULL, LENIENT_FORM},
        // Another object is the text of the title.
        {"name", CHAT, ALL, "[[ ## title ## ]]\n{\"a\": \"A\"}" END,
         "{\"title\":\"{\\\"a\\\": \\\"A\\\"}\"}", NULL, 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n{\"title\": [1]}" END,
         "{\"title\":\"{\\\"title\\\": [1]}\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

#define PAGE "{\"title\":\"Weather\",\"body\":\"It rains.\"}"
#define NO_TITLE "the section [[ ## title ## ]] is missing"

Test(reply, may_have_markers_within_its_text)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "[[ ## title ## ]] Weather[[ ## body ## ]] It rains.[[ ## completed "
         "## ]]",
         PAGE, NULL, LENIENT_MARKER},
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nWeather\n\n[[ ## body ## ]]\nIt rains. "
         "[[ ## completed ## ]]",
         PAGE, NULL, LENIENT_MARKER},
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nWeather [[ ## body ## ]]\nIt rains." END, PAGE,
         NULL, LENIENT_MARKER},
        // Mentioned, not used.
        {"page", CHAT, ALL,
         "First [[ ## title ## ]], then the rest.\n[[ ## title ## ]]\nWeather\n"
         "[[ ## body ## ]]\nIt rains." END,
         PAGE, NULL, LENIENT_MARKER},
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nSee [[ ## body ## ]] below\n[[ ## body ## ]]\n"
         "It rains." END,
         "{\"title\":\"See [[ ## body ## ]] below\",\"body\":\"It rains.\"}",
         NULL, 0},
        {"page", CHAT, ALL,
         "I fill [[ ## title ## ]] next.\n[[ ## body ## ]]\nIt rains." END,
         NULL, NO_TITLE, 0},
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\nIt ends in [[ ## completed ## ]] as told." END,
         "{\"title\":\"It ends in [[ ## completed ## ]] as told.\"}", NULL, 0},
        // A section that nobody asked for.
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\nA\n\n[[ ## remark ## ]]\nnone" END,
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## titel ## ]]\nA" END, NULL, NO_TITLE, 0},
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nWeather\n[[ ## body ## ]]\nIt rains. "
         "[[ ## completed ## ]] I hope that this helps.",
         PAGE, NULL, LENIENT_MARKER | LENIENT_END},
        // The end marker is incomplete.
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n\n[[ ## completed ##",
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA[[ ## comp",
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "Paris" END, "{\"title\":\"Paris\"}", NULL,
         LENIENT_BARE},
    };

    EXPECT_ROWS(rows);
}

Test(reply, does_not_take_a_placeholder_for_a_value)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "[[ ## title ## ]]\n{title}" END, NULL,
         "`title` is \"{title}\", but must be text", 0},
        {"name", JSON, ALL, "{\"title\": \"{title}\"}", NULL,
         "`title` is \"{title}\", but must be text", 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n{name}" END,
         "{\"title\":\"{name}\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, excludes_thoughts_from_values)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n<think>or B?" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n<think>A or B?" END, NULL,
         "`title` is \"\", but must be text", 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nThe <think> tag" END,
         "{\"title\":\"The <think> tag\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, does_not_take_polite_phrases_for_a_value)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "Sure! Here is the result:\n\n[[ ## body ## ]]\nIt rains." END, NULL,
         NO_TITLE, 0},
        {"page", CHAT, 2, "Sure!\n\n[[ ## body ## ]]\nIt rains." END,
         "{\"title\":null,\"body\":\"It rains.\"}", NULL,
         LENIENT_MARKER | LENIENT_UNREAD},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_names_that_differ_only_in_case)
{
    static const struct row rows[] = {
        {"pair", CHAT, ALL,
         "[[ ## answer ## ]]\na\n\n[[ ## Answer ## ]]\nb" END,
         "{\"answer\":\"a\",\"Answer\":\"b\"}", NULL, 0},
        {"pair", JSON, ALL, "{\"Answer\": \"b\", \"answer\": \"a\"}",
         "{\"answer\":\"a\",\"Answer\":\"b\"}", NULL, 0},
        {"name", JSON, ALL, "{\" Title \": \"A\"}", "{\"title\":\"A\"}", NULL,
         LENIENT_MARKER},
        {"pair", JSON, ALL, "{\"Answer\": \"b\"}", NULL,
         "the key \"answer\" is missing", 0},
        {"pair", CHAT, ALL, "[[ ## ANSWER ## ]]\na\n[[ ## Answer ## ]]\nb" END,
         NULL, "the section [[ ## answer ## ]] is missing", 0},
    };

    EXPECT_ROWS(rows);
}

#define THOUGHT                                                                \
    "The shape asked for is\n[[ ## pick ## ]]\nA\nbut the facts point "        \
    "elsewhere.\n"
#define PICK_B "[[ ## pick ## ]]\nB" END
#define IS_B "{\"pick\":\"B\"}"

Test(reply, is_never_read_from_thoughts)
{
    static const struct row rows[] = {
        {"pick", CHAT, ALL, "<think>\n" THOUGHT "</think>\n\n" PICK_B, IS_B,
         NULL, LENIENT_FENCE},
        {"pick", CHAT, ALL, THOUGHT "</think>\n\n" PICK_B, IS_B, NULL,
         LENIENT_FENCE},
        {"pick", CHAT, ALL, "<thinking>" THOUGHT "</thinking>" PICK_B, IS_B,
         NULL, LENIENT_FENCE},
        {"pick", CHAT, ALL, "<THINK>" THOUGHT "</THINK>\n" PICK_B, IS_B, NULL,
         LENIENT_FENCE},
        {"pick", CHAT, ALL,
         "<think>one</think>\n<think>\n" THOUGHT "</think>\n" PICK_B, IS_B,
         NULL, LENIENT_FENCE},
        {"pick", CHAT, ALL,
         "<think>a<think>" THOUGHT "</think>b\n</think>\n" PICK_B, IS_B, NULL,
         LENIENT_FENCE},
        {"pick", CHAT, ALL, "[THINK]" THOUGHT "[/THINK]" PICK_B, IS_B, NULL,
         LENIENT_FENCE},
        {"pick", CHAT, ALL,
         "<|channel|>analysis<|message|>" THOUGHT
         "<|end|><|start|>assistant<|channel|>final<|message|>" PICK_B
         "<|return|>",
         IS_B, NULL, LENIENT_FENCE | LENIENT_END},
        {"pick", CHAT, ALL,
         "\xE2\x97\x81think\xE2\x96\xB7" THOUGHT
         "\xE2\x97\x81/think\xE2\x96\xB7" PICK_B,
         IS_B, NULL, LENIENT_FENCE},
        {"pick", CHAT, ALL, "<think>" THOUGHT "</think><answer>B</answer>",
         IS_B, NULL, LENIENT_FENCE | LENIENT_BARE},
        {"pick", CHAT, ALL, "[[ ## pick ## ]]\n<think>A?</think>\nB" END, IS_B,
         NULL, LENIENT_FENCE},
        {"pick", JSON, ALL, "<think>{\"pick\": \"A\"}</think>{\"pick\": \"B\"}",
         IS_B, NULL, LENIENT_FENCE},
        {"pick", JSON, ALL, "{\"pick\": \"A\"}\n</think>\n{\"pick\": \"B\"}",
         IS_B, NULL, LENIENT_FENCE},
        {"pick", JSON, ALL, "{\"pick\": \"<think>A</think>B\"}", IS_B, NULL,
         LENIENT_FENCE},
        {"name", JSON, ALL, "{\"title\": \"<think>x</think> A\"}",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE},
        // The thinking does not end, or nothing follows.
        {"pick", CHAT, ALL, "<think>" THOUGHT, NULL, "the answer is empty", 0},
        {"pick", CHAT, ALL, "<think>\n" THOUGHT PICK_B, NULL,
         "the answer is empty", 0},
        {"pick", CHAT, ALL, THOUGHT "</think>\n", NULL, "the answer is empty",
         0},
        {"pick", JSON, ALL, "<think>{\"pick\": \"A\"}", NULL,
         "the answer is empty", 0},
        // Mentioned, not used.
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\nUse </think> to end it, or `</think>`." END,
         "{\"title\":\"Use </think> to end it, or `</think>`.\"}", NULL, 0},
        {"name", JSON, ALL, "{\"title\": \"The tag </think>\"}",
         "{\"title\":\"The tag </think>\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_contain_turn_tokens)
{
    static const struct row rows[] = {
        {"pick", CHAT, ALL, "[[ ## pick ## ]]\nB<|im_end|>" END, IS_B, NULL,
         LENIENT_END},
        {"pick", CHAT, ALL, PICK_B "<|eot_id|>", IS_B, NULL, LENIENT_END},
        {"pick", CHAT, ALL, PICK_B "</s></s>", IS_B, NULL, LENIENT_END},
        {"pick", CHAT, ALL, PICK_B "<|im_end|>\n<|im_start|>user\nAnd?", IS_B,
         NULL, LENIENT_END},
        {"pick", CHAT, ALL, "<|im_start|>assistant\n" PICK_B, IS_B, NULL,
         LENIENT_END},
        {"pick", CHAT, ALL,
         "<|start_header_id|>assistant<|end_header_id|>\n\n" PICK_B, IS_B, NULL,
         LENIENT_END},
        {"pick", JSON, ALL, "{\"pick\": \"B\"}<end_of_turn>", IS_B, NULL,
         LENIENT_END},
        {"pick", JSON, ALL,
         "{\"pick\": \"B\"}<\xEF\xBD\x9C"
         "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
         IS_B, NULL, LENIENT_END},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nParis</s>" END,
         "{\"title\":\"Paris\"}", NULL, LENIENT_END},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nThe token </s> ends it." END,
         "{\"title\":\"The token </s> ends it.\"}", NULL, 0},
        {"name", CHAT, ALL, "Paris<|endoftext|>", "{\"title\":\"Paris\"}", NULL,
         LENIENT_BARE | LENIENT_END},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_json_that_needs_repair)
{
    static const char is[] = "{\"intent\":\"YES\",\"confidence\":1}";
    static const struct row rows[] = {
        {"sort", JSON, ALL, "{\"intent\": \"YES\", \"confidence\": 1,}", is,
         NULL, LENIENT_MENDED},
        {"sort", JSON, ALL, "{'intent': 'YES', 'confidence': 1}", is, NULL,
         LENIENT_MENDED},
        {"sort", JSON, ALL, "{\"intent\": \"YES\", \"confidence\": 1", is, NULL,
         LENIENT_MENDED},
        {"sort", JSON, ALL, "```json\n{'intent': 'YES', 'confidence': 1}\n```",
         is, NULL, LENIENT_MENDED | LENIENT_FENCE},
        {"sort", JSON, ALL, "Sure: {'intent': 'YES', 'confidence': 1}.", is,
         NULL, LENIENT_MENDED},
        {"sort", JSON, ALL, "{intent: YES, confidence: 1}", is, NULL,
         LENIENT_MENDED},
        {"sort", JSON, ALL, "{\"intent\": YES, \"confidence\": 01}", is, NULL,
         LENIENT_MENDED},
        {"sort", JSON, ALL,
         "{\"response\": {\"intent\": \"YES\", \"confidence\": 1}}", is, NULL,
         LENIENT_FENCE},
        {"sort", JSON, ALL, "{'response': {'intent': 'YES', 'confidence': 1}}",
         is, NULL, LENIENT_MENDED},
        {"sort", JSON, ALL, "[{\"intent\": \"YES\", \"confidence\": 1}]", is,
         NULL, LENIENT_FENCE},
        {"sort", JSON, ALL, "{\"intent\": \"YES\", \"confidence\": 1} {x}", is,
         NULL, LENIENT_FENCE},
        {"sort", JSON, ALL,
         "{\"intent\": \"YES\", \"confidence\": 1}\n"
         "{\"intent\": \"YES\", \"confidence\": 1}",
         is, NULL, LENIENT_FENCE},
        // Either of the two could be meant.
        {"sort", JSON, ALL,
         "{\"intent\": \"YES\", \"confidence\": 1} or "
         "{\"intent\": \"yes-sir\", \"confidence\": 1}",
         NULL, "the key \"intent\" is missing", 0},
        {"sort", JSON, ALL,
         "{\"intent\": \"YES\", \"confidence\": 1, \"intent\": \"yes-sir\"}",
         NULL, "the key \"intent\" is missing", 0},
        {"sort", JSON, ALL, "{\"intent\": \"YES\", \"confidence\": \"0.", NULL,
         "the key \"intent\" is missing", 0},
        {"name", JSON, ALL, "{\"title\": \"two\nlines\"}",
         "{\"title\":\"two\\nlines\"}", NULL, LENIENT_MENDED},
        {"name", JSON, ALL, "{'tilte': 'A'}", NULL,
         "the key \"title\" is missing", 0},
    };

    EXPECT_ROWS(rows);
}

#define XS "{\"names\":[\"apple\",\"pear\"]}"
#define NAMES(text) "[[ ## names ## ]]\n" text END
#define NO_NAMES(text) "`names` is \"" text "\", but must be list of str"

// These replies have no outputs, whatever the problem says in words.
static void expect_doubts(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err problem = ERR_CLEAR;
        unsigned lenient = 0;
        json_t *outputs = NULL;
        const struct reply_asked asked = {.step = find_step(rows[i].step),
                                          .adapter = rows[i].adapter,
                                          .reads = ALL};
        struct span text = {rows[i].text, strlen(rows[i].text)};

        bool ok = reply_parse(&asked, text, &outputs, &lenient, &problem);
        char *shown = ok ? json_text(outputs) : NULL;
        cr_expect_not(ok, "%s: %s", rows[i].text, shown);
        cr_expect(ok || problem.code == ERR_INPUT, "%s", problem.text);
        free(shown);
        json_decref(outputs);
    }
}

#define EXPECT_DOUBTS(rows) expect_doubts(rows, sizeof(rows) / sizeof(rows)[0])

Test(reply, may_contain_special_tokens_of_any_name)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "Rome<|fim_end|>", "{\"title\":\"Rome\"}", NULL,
         LENIENT_BARE | LENIENT_END},
        {"name", CHAT, ALL, "Rome<pad><pad>", "{\"title\":\"Rome\"}", NULL,
         LENIENT_BARE | LENIENT_END},
        {"name", CHAT, ALL, "Rome[/INST]", "{\"title\":\"Rome\"}", NULL,
         LENIENT_BARE | LENIENT_END},
        {"name", CHAT, ALL, "Rome<|endoftext|>Human: And now?",
         "{\"title\":\"Rome\"}", NULL, LENIENT_BARE | LENIENT_END},
        {"name", CHAT, ALL, "<|message|>Rome", "{\"title\":\"Rome\"}", NULL,
         LENIENT_BARE | LENIENT_END},
        {"name", CHAT, ALL, "What <|im_end|> means",
         "{\"title\":\"What "
         "<|im_end|> means\"}",
         NULL, LENIENT_BARE},
        {"name", CHAT, ALL, "<|a b|> is no token",
         "{\"title\":\"<|a b|> is no "
         "token\"}",
         NULL, LENIENT_BARE},
        {"name", CHAT, ALL, "<|think|>Paris?<|/think|>Rome",
         "{\"title\":\"Rome\"}", NULL, LENIENT_BARE | LENIENT_FENCE},
        {"name", CHAT, ALL, "<|channel>thought\nParis?<channel|>Rome",
         "{\"title\":\"Rome\"}", NULL, LENIENT_BARE | LENIENT_FENCE},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_its_reasoning_in_a_thinking_tag)
{
    static const struct row rows[] = {
        {"think", CHAT, ALL,
         "<reasoning>It rains.</reasoning>\n<answer>Rome</answer>",
         "{\"reasoning\":\"It rains.\",\"answer\":\"Rome\"}", NULL,
         LENIENT_FORM | LENIENT_FENCE},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_be_an_object_encoded_as_a_string)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "\"{\\\"title\\\": \\\"Rome\\\"}\"",
         "{\"title\":\"Rome\"}", NULL, LENIENT_FORM},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_say_its_number_twice_or_be_polite)
{
    static const struct row rows[] = {
        {"count", CHAT, ALL, "7\n\nLet me know if you need more.",
         "{\"amount\":7}", NULL, LENIENT_BARE | LENIENT_NUMBER},
        {"count", CHAT, ALL, "The answer is:\n\n7\n\nFinal answer: **7**",
         "{\"amount\":7}", NULL, LENIENT_BARE | LENIENT_NUMBER},
    };
    static const struct row doubts[] = {
        {"count", CHAT, ALL, "7\n\nFinal answer: 8"},
        {"count", CHAT, ALL, "7\nor more"},
    };

    EXPECT_ROWS(rows);
    expect_doubts(doubts, 2);
}

Test(reply, is_not_read_from_part_of_damaged_json)
{
    static const struct row rows[] = {
        // A missing or doubled quote, in an object over several lines.
        {"page", CHAT, ALL, "{\n \"title\": Rome\",\n \"body\": \"Rain\"\n}"},
        {"page", JSON, ALL, "{\n \"title\": \"Rome,\n \"body\": \"Rain\"\n}"},
        {"page", JSON, ALL, "{\"title\": \"\"Rome\", \"body\": \"Rain\"}"},
        {"page", JSON, ALL, "{\"title\": \"Rome\"\", \"body\": \"Rain\"}"},
        {"page", CHAT, ALL, "\"title\": \"a \\\"b\\\"\",\n\"body\": \"Rain\""},
        // The rest of a list whose beginning is damaged.
        {"names", JSON, ALL, "{\"names\": [\n \"Ann\"[\n \"Bob\"\n]\n}"},
        {"names", JSON, ALL, "{\"names\": [\n \"Ann\"]\n \"Bob\"\n]\n}"},
        {"names", CHAT, ALL, "{'names': ['Ann'[ 'Bob']}"},
        {"names", JSON, ALL, "{\"names\": ["},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n[" END},
        {"names", JSON, ALL, "{\"names\": [{\"name\": \"Ann\"}]}"},
        {"names", JSON, ALL, "{\"names\": [[\"Ann\"], [\"Bob\"]]}"},
    };

    EXPECT_DOUBTS(rows);
}

Test(reply, is_refused_if_its_list_is_ambiguous)
{
    static const struct row rows[] = {
        {"names", CHAT, ALL, "[[ ## names ## ]]\n- Ann\n- Bob\n- ..." END},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n- Ann\n- etc." END},
        {"names", JSON, ALL, "{\"names\": [\"Ann\", \"...\"]}"},
        {"names", CHAT, ALL, "[[ ## names ## ]]\nAnn, not Bob" END},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n(1) Ann (2) Bob" END},
        {"names", CHAT, ALL, "[[ ## names ## ]]\nNames: Ann, Bob" END},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n- None" END},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n1.\n2.\n3." END},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n#red #blue" END},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred (wrong), blue" END},
        // Thousands, or two items each: either could be meant.
        {"names", CHAT, ALL, "[[ ## names ## ]]\n1,000, 2,000" END},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n1,200" END},
        // Nested items.
        {"names", CHAT, ALL, "[[ ## names ## ]]\n- A\n  - Ann\n- Bob" END},
        {"names", JSON, ALL, "{\"names\": \"1. A\\n\\t- Ann\\n2. Bob\"}"},
        // Probabilities of the tags.
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred: 0.9\nblue: 0.1" END},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n- red (90%)\n- blue (5%)" END},
    };

    EXPECT_DOUBTS(rows);
}

Test(reply, may_be_a_table)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "Here it is:\n\n| Title | Body |\n|:---|---|\n| Rain | It **rains**. "
         "|",
         "{\"title\":\"Rain\",\"body\":\"It **rains**.\"}", NULL, LENIENT_FORM},
        {"page", JSON, ALL,
         "| field | value |\n|---|---|\n| `title` | Rain |\n| **body** | x |",
         "{\"title\":\"Rain\",\"body\":\"x\"}", NULL, LENIENT_FORM},
        {"sort", CHAT, ALL, "| intent | YES |\n|---|---|\n| confidence | 0.5 |",
         "{\"intent\":\"YES\",\"confidence\":0.5}", NULL, LENIENT_FORM},
    };
    static const struct row doubts[] = {
        // Two answers; a name instead of a value; a table with incomplete rows.
        {"page", CHAT, ALL,
         "| title | body |\n|---|---|\n| a | b |\n| c | d |"},
        {"page", CHAT, ALL, "| title | body |\n|---|---|\n| body | x |"},
        {"page", CHAT, ALL, "| title | body |\n|---|---|\n| a |"},
        {"page", CHAT, ALL, "| title | title |\n|---|---|\n| a | b |"},
    };

    EXPECT_ROWS(rows);
    EXPECT_DOUBTS(doubts);
}

Test(reply, may_be_a_function_call)
{
    static const struct row rows[] = {
        {"page", JSON, ALL,
         "{\"type\": \"function\", \"function\": {\"name\": \"answer\", "
         "\"arguments\": \"{\\\"title\\\": \\\"a\\\", \\\"body\\\": "
         "\\\"b\\\"}\"}}",
         "{\"title\":\"a\",\"body\":\"b\"}", NULL, LENIENT_FORM},
        {"page", JSON, ALL,
         "{\\\"title\\\": \\\"a\\\", \\\"body\\\": \\\"b\\\"}",
         "{\"title\":\"a\",\"body\":\"b\"}", NULL,
         LENIENT_FORM | LENIENT_MENDED},
        {"page", JSON, ALL, "\"title\": \"a\", \"body\": \"b\"",
         "{\"title\":\"a\",\"body\":\"b\"}", NULL, LENIENT_MENDED},
    };
    static const struct row doubts[] = {
        {"page", JSON, ALL,
         "{\"calls\": {\"one\": \"{\\\"title\\\": \\\"a\\\", \\\"body\\\": "
         "\\\"b\\\"}\", \"two\": \"{\\\"title\\\": \\\"c\\\", \\\"body\\\": "
         "\\\"d\\\"}\"}}"},
    };

    EXPECT_ROWS(rows);
    EXPECT_DOUBTS(doubts);
}

// A model's thoughts are not an answer, even if nobody reads them.
Test(reply, may_be_a_bare_answer_only_if_unambiguous)
{
    static const struct row doubts[] = {
        {"think", CHAT, 2, "Let me think about Paris."},
        {"think", JSON, 2, "Dear customer"},
        {"sort", CHAT, 2, "First I count the red ones, which are 0.5 of all"},
        {"sort", CHAT, 1, "YES, let me see what they want to have"},
        {"sort", CHAT, 1, "YES\nor maybe track_order"},
    };
    static const struct row rows[] = {
        {"sort", CHAT, 2, "0.5", "{\"intent\":null,\"confidence\":0.5}", NULL,
         LENIENT_BARE | LENIENT_UNREAD},
        {"sort", CHAT, 1, "The answer is track_order.",
         "{\"intent\":\"track_order\",\"confidence\":null}", NULL,
         LENIENT_BARE | LENIENT_UNREAD | LENIENT_LABEL},
        {"name", CHAT, ALL, "Let me think about Paris.",
         "{\"title\":\"Let me think about Paris.\"}", NULL, LENIENT_BARE},
    };

    EXPECT_DOUBTS(doubts);
    EXPECT_ROWS(rows);
}

// Whichever value was taken, the other could be meant.
Test(reply, with_a_key_in_two_cases_and_two_values_is_ambiguous)
{
    static const struct row rows[] = {
        {"sort", JSON, ALL,
         "{\"intent\": \"YES\", \"Intent\": \"track_order\", "
         "\"confidence\": 1}"},
        {"sort", CHAT, ALL,
         "{\"INTENT\": \"YES\", \"Intent\": \"track_order\", "
         "\"confidence\": 1}"},
        {"facts", JSON, ALL, "{\"facts\": {\"size\": 3, \"Size\": 4}}"},
        {"facts", JSON, ALL,
         "{\"facts\": {\"size\": 3, \"Note\": \"x\", \"NOTE\": \"y\"}}"},
    };
    static const struct row same[] = {
        {"sort", JSON, ALL,
         "{\"intent\": \"YES\", \"Intent\": \"YES\", \"confidence\": 1}",
         "{\"intent\":\"YES\",\"confidence\":1}", NULL, LENIENT_MARKER},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n 9. Ann\n10. Bob" END,
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
    };

    EXPECT_DOUBTS(rows);
    EXPECT_ROWS(same);
}

Test(reply, finds_a_member_in_any_case)
{
    static const struct row rows[] = {
        {"facts", JSON, ALL, "{\"facts\": {\"Size\": 3, \"Note\": \"x\"}}",
         "{\"facts\":{\"size\":3,\"note\":\"x\"}}", NULL, LENIENT_MARKER},
        {"names", JSON, ALL, "{\"names\": [[\"Ann\", \"Bob\"]]}",
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_lists_as_people_write_them)
{
    static const struct row rows[] = {
        {"names", CHAT, ALL, NAMES("['apple', 'pear']"), XS, NULL,
         LENIENT_MENDED},
        {"names", CHAT, ALL, NAMES("[\"apple\", \"pear\",]"), XS, NULL,
         LENIENT_MENDED},
        {"names", CHAT, ALL, NAMES("[\"apple\"\n\"pear\"]"), XS, NULL,
         LENIENT_MENDED},
        {"names", CHAT, ALL, NAMES("[apple, pear]"), XS, NULL, LENIENT_MENDED},
        {"names", CHAT, ALL, NAMES("\"apple\", \"pear\""), XS, NULL,
         LENIENT_FENCE | LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("apple, pear"), XS, NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("apple; pear"), XS, NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("- apple\n- pear"), XS, NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("\xE2\x80\xA2 apple\n\xE2\x80\xA2 pear"), XS,
         NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("- \"apple\"\n- \"pear\""), XS, NULL,
         LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("- [ ] apple\n- [x] pear"), XS, NULL,
         LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("[ ] apple\n[x] pear"), XS, NULL,
         LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("Named in [1]: [\"apple\", \"pear\"]"), XS,
         NULL, LENIENT_FENCE},
        {"names", CHAT, ALL, NAMES("Found: ['apple', 'pear']"), XS, NULL,
         LENIENT_MENDED},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n[3, 4,]" END,
         "{\"sizes\":[3,4]}", NULL, LENIENT_MENDED},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n3, 4" END, "{\"sizes\":[3,4]}",
         NULL, LENIENT_FORM},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n3\n4" END, "{\"sizes\":[3,4]}",
         NULL, LENIENT_FORM},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred" END, "{\"tags\":[\"red\"]}",
         NULL, LENIENT_FORM},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nRed, blue" END,
         "{\"tags\":[\"red\",\"blue\"]}", NULL, LENIENT_FORM | LENIENT_LABEL},
        {"names", CHAT, ALL, NAMES("- **Ann**\n- **Bob**"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("- 'Ann',\n- 'Bob'"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("- \"Ann\" and \"Bob\""),
         "{\"names\":[\"\\\"Ann\\\" and \\\"Bob\\\"\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("(1) Ann\n(2) Bob"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("a) Ann\nb) Bob"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("\xE2\x91\xA0 Ann\n\xE2\x91\xA1 Bob"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("\xE2\x97\xA6 Ann\n\xE2\x97\xA6 Bob"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("```\n- Ann\n- Bob\n```"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("Here they are:\n\n- Ann\n- Bob"),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("\"Ann\"\n\"Bob\""),
         "{\"names\":[\"Ann\",\"Bob\"]}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, NAMES("#ann, #bob"),
         "{\"names\":[\"#ann\",\"#bob\"]}", NULL, LENIENT_FORM},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n1 kg, $2." END,
         "{\"sizes\":[1,2]}", NULL, LENIENT_FORM | LENIENT_NUMBER},
        // In doubt.
        {"names", CHAT, ALL, NAMES("See [1]"), NULL, NO_NAMES("See [1]"), 0},
        {"names", CHAT, ALL, NAMES("See [above]"), NULL,
         NO_NAMES("See [above]"), 0},
        {"names", CHAT, ALL, NAMES("I found two, namely apple"), NULL,
         NO_NAMES("I found two, namely apple"), 0},
        {"names", CHAT, ALL, NAMES("apple"), NULL, NO_NAMES("apple"), 0},
        {"names", CHAT, ALL, NAMES("apple, pear and plum"), NULL,
         NO_NAMES("apple, pear and plum"), 0},
        {"names", CHAT, ALL, NAMES("Apples, which are red, and so on."), NULL,
         NO_NAMES("Apples, which are red, and so on."), 0},
        {"names", CHAT, ALL, NAMES("1. apple, 2. pear"), NULL,
         NO_NAMES("1. apple, 2. pear"), 0},
        {"names", CHAT, ALL, NAMES("(apple, pear)"), NULL,
         NO_NAMES("(apple, pear)"), 0},
        {"names", CHAT, ALL, NAMES("Smith, John; Doe, Jane"), NULL,
         NO_NAMES("Smith, John; Doe, Jane"), 0},
        {"names", CHAT, ALL, NAMES("**apple**, **pear**"), NULL,
         NO_NAMES("**apple**, **pear**"), 0},
        {"names", CHAT, ALL, NAMES("'apple' and 'pear'"), NULL,
         NO_NAMES("'apple' and 'pear'"), 0},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n[x] red\n[ ] blue" END, NULL,
         "`tags` is \"[x] red [ ] blue\", but must be list of (one of: red; "
         "blue)",
         0},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n- [x] red\n- [ ] blue" END, NULL,
         "`tags` is \"- [x] red - [ ] blue\", but must be list of (one of: "
         "red; "
         "blue)",
         0},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\n1,000, 2,000" END, NULL,
         "`sizes` is \"1,000, 2,000\", but must be list of int", 0},
        {"names", CHAT, ALL, NAMES("[\"apple\"] or [\"pear\"]"), NULL,
         NO_NAMES("[\"apple\"] or [\"pear\"]"), 0},
        {"sizes", CHAT, ALL, "[[ ## sizes ## ]]\nIn [1]: [3, 4]" END, NULL,
         "`sizes` is \"In [1]: [3, 4]\", but must be list of int", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_say_true_and_false_in_other_words)
{
    static const char *const yes[] = {
        "1", "Y", "on", "T", "TRUE", "yes, it is", "**Yes**", "\\boxed{true}"};
    static const char *const no[] = {"0", "n", "off", "F", "False.", "No."};
    static const char *const doubt[] = {
        "2", "maybe", "yes and no", "true or false", "not true", "10", ""};
    char text[100];

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        (void)snprintf(text, sizeof text, "[[ ## right ## ]]\n%s" END, yes[i]);
        expect_row(&(struct row){"judge", CHAT, ALL, text, "{\"right\":true}",
                                 NULL, LENIENT_LABEL});
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        (void)snprintf(text, sizeof text, "[[ ## right ## ]]\n%s" END, no[i]);
        expect_row(&(struct row){"judge", CHAT, ALL, text, "{\"right\":false}",
                                 NULL, LENIENT_LABEL});
    }
    for (size_t i = 0; i < sizeof doubt / sizeof doubt[0]; i++) {
        char problem[100];
        (void)snprintf(text, sizeof text, "[[ ## right ## ]]\n%s" END,
                       doubt[i]);
        (void)snprintf(problem, sizeof problem,
                       "`right` is \"%s\", but must be bool, true or false",
                       doubt[i]);
        expect_row(&(struct row){"judge", CHAT, ALL, text, NULL, problem, 0});
    }
    static const struct row rows[] = {
        {"judge", JSON, ALL, "{\"right\": 1}", "{\"right\":true}", NULL,
         LENIENT_LABEL},
        {"judge", JSON, ALL, "{\"right\": True}", "{\"right\":true}", NULL,
         LENIENT_MENDED},
        {"judge", JSON, ALL, "{\"right\": 2}", NULL,
         "`right` is \"2\", but must be bool, true or false", 0},
    };
    EXPECT_ROWS(rows);
}

Test(reply, may_be_in_a_fence_that_is_not_part_of_the_text)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "```\n[[ ## title ## ]]\nA\n```",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_END},
        {"name", CHAT, ALL, "```text\n[[ ## title ## ]]\n```\nx\n```" END "```",
         "{\"title\":\"```\\nx\\n```\"}", NULL,
         LENIENT_FENCE | LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL,
         "Sure:\n```\n[[ ## title ## ]]\nA\n```\nHope it helps!",
         "{\"title\":\"A\"}", NULL,
         LENIENT_FENCE | LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "~~~\n[[ ## title ## ]]\n```\nx\n```\n~~~",
         "{\"title\":\"```\\nx\\n```\"}", NULL, LENIENT_FENCE | LENIENT_END},
        {"name", CHAT, ALL, "````\n[[ ## title ## ]]\nA\n````",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_END},
        {"think", CHAT, ALL, "So.\n```\n[[ ## answer ## ]]\nA\n```",
         "{\"reasoning\":\"So.\",\"answer\":\"A\"}", NULL,
         LENIENT_FENCE | LENIENT_BARE | LENIENT_END},
        {"page", CHAT, ALL, "```yaml\ntitle: A\nbody: B\n```",
         "{\"title\":\"A\",\"body\":\"B\"}", NULL,
         LENIENT_FENCE | LENIENT_MARKER | LENIENT_END},
        {"page", CHAT, ALL, "---\ntitle: A\nbody: B\n---\n",
         "{\"title\":\"A\",\"body\":\"B\"}", NULL,
         LENIENT_FENCE | LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "---\n[[ ## title ## ]]\nA\n---\nB",
         "{\"title\":\"A\\n---\\nB\"}", NULL, LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "<output>\n[[ ## title ## ]]\nA\n</output>\nBye",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_END},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n```\nx\n```" END,
         "{\"title\":\"```\\nx\\n```\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_use_field_names_as_tags)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL, "<title>A</title>\n<body>\nB: <b>c</b>\n</body>",
         "{\"title\":\"A\",\"body\":\"B: <b>c</b>\"}", NULL, LENIENT_FORM},
        {"page", JSON, ALL, "<out><Title>A</Title><body>B</body></out>",
         "{\"title\":\"A\",\"body\":\"B\"}", NULL, LENIENT_FORM},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n<title>A</title>" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FORM},
        {"name", CHAT, ALL, "Use <title>A</title> in HTML",
         "{\"title\":\"Use <title>A</title> in HTML\"}", NULL, LENIENT_BARE},
        {"name", CHAT, ALL, "<title>A</title>\n<title>B</title>", NULL,
         "there is more than one section [[ ## title ## ]]", 0},
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\n<title>A</title><title>B</title>" END,
         "{\"title\":\"<title>A</title><title>B</title>\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_be_in_the_frame_its_model_was_trained_on)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "<think>hm</think>\n<response>\nA\n</response>",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_BARE},
        {"pick", CHAT, ALL,
         "<think>hm</think><answer><|begin_of_box|>B<|end_of_box|></answer>",
         "{\"pick\":\"B\"}", NULL, LENIENT_FENCE | LENIENT_BARE},
        {"count", CHAT, ALL,
         "[[ ## amount ## ]]\n<|begin_of_box|>5<|end_of_box|>" END,
         "{\"amount\":5}", NULL, LENIENT_FENCE},
        {"name", CHAT, ALL,
         "<|START_THINKING|>x<|END_THINKING|><|START_RESPONSE|>[[ ## title ## "
         "]]\nA" END "<|END_RESPONSE|>",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_END},
        {"name", CHAT, ALL,
         "[[ ## title ## ]]\n<scratchpad>B?</scratchpad>\nA" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE},
        {"name", CHAT, ALL,
         "<thinking>a</thinking><reflection>b</reflection><output>A</output>",
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE | LENIENT_BARE},
        {"name", CHAT, ALL, "<answer>A</answer>\n<answer>B</answer>",
         "{\"title\":\"<answer>A</answer>\\n<answer>B</answer>\"}", NULL,
         LENIENT_BARE},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nThe <output> tag" END,
         "{\"title\":\"The <output> tag\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, excludes_closing_markers_from_values)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nA\n[[ ## /title ## ]]\n[[ ## body ## ]]\n"
         "B [[ ## /body ## ]]" END,
         "{\"title\":\"A\",\"body\":\"B\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\n[[ ## /title ## ]]" END,
         "{\"title\":\"\"}", NULL, LENIENT_MARKER},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_words_before_a_marker_that_ends_its_line)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "Assistant: [[ ## title ## ]]\nA\n[[ ## body ## ]]\nB" END,
         "{\"title\":\"A\",\"body\":\"B\"}", NULL, LENIENT_MARKER},
        {"think", CHAT, ALL,
         "analysisWe add.assistantfinal[[ ## answer ## ]]\n4" END,
         "{\"reasoning\":\"analysisWe add.assistantfinal\",\"answer\":\"4\"}",
         NULL, LENIENT_MARKER | LENIENT_BARE},
        {"name", CHAT, ALL, "I begin with [[ ## title ## ]] and go on.", NULL,
         "the section [[ ## title ## ]] is missing", 0},
        {"name", CHAT, ALL, "'[[ ## title ## ]]\nA'", NULL,
         "the section [[ ## title ## ]] is missing", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_numbered_names_and_bold_headings)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL, "1. Title: A\n2. **Body:** B",
         "{\"title\":\"A\",\"body\":\"B\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"page", CHAT, ALL, "**Title**\nA\n\n**Body**\nB",
         "{\"title\":\"A\",\"body\":\"B\"}", NULL,
         LENIENT_MARKER | LENIENT_END},
        {"page", CHAT, ALL, "title: A\nbody: |\n  B\n  C", NULL,
         "`body` is \"|   B   C\", but must be text", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, is_refused_if_its_list_does_not_end)
{
    static const struct row rows[] = {
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred, blue." END,
         "{\"tags\":[\"red\",\"blue\"]}", NULL, LENIENT_FORM},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred, ..." END, NULL,
         "`tags` is \"red, ...\", but must be list of (one of: red; blue)", 0},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\nred, etc." END, NULL,
         "`tags` is \"red, etc.\", but must be list of (one of: red; blue)", 0},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n- [ ] red\n- [ ] blue" END, NULL,
         "`tags` is \"- [ ] red - [ ] blue\", but must be list of (one of: "
         "red; blue)",
         0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, reads_null_in_json_as_in_text)
{
    static const struct row rows[] = {
        {"maybe", JSON, ALL, "{\"year\": \"N/A\"}", "{\"year\":null}", NULL,
         LENIENT_LABEL},
        {"maybe", JSON, ALL, "{\"year\": \"\"}", "{\"year\":null}", NULL,
         LENIENT_LABEL},
        {"maybe", CHAT, ALL, "[[ ## year ## ]]\nnull." END, "{\"year\":null}",
         NULL, LENIENT_LABEL},
        {"maybe", CHAT, ALL, "[[ ## year ## ]]\n\"null\"" END,
         "{\"year\":null}", NULL, LENIENT_LABEL},
        {"note", CHAT, ALL, "[[ ## note ## ]]\nnone." END,
         "{\"note\":\"none.\"}", NULL, 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_use_the_other_adapters_form)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "{\"title\": \"A\"}", "{\"title\":\"A\"}", NULL,
         LENIENT_FORM},
        {"name", CHAT, ALL, "```json\n{\"title\": \"A\"}\n```",
         "{\"title\":\"A\"}", NULL, LENIENT_FORM | LENIENT_FENCE},
        {"name", JSON, ALL, "Of {it}: {\"Title\": \"A\"}.", "{\"title\":\"A\"}",
         NULL, LENIENT_FENCE | LENIENT_MARKER},
        {"name", JSON, ALL, "[[ ## title ## ]]\nA" END, "{\"title\":\"A\"}",
         NULL, LENIENT_FORM},
        {"name", CHAT, ALL, "Just words", "{\"title\":\"Just words\"}", NULL,
         LENIENT_BARE},
        {"name", JSON, ALL, "{\"tilte\": \"A\"}", NULL,
         "the key \"title\" is missing", 0},
        {"sort", CHAT, ALL, "Just words", NULL,
         "the section [[ ## intent ## ]] is missing", 0},
        {"name", JSON, ALL, "{\"title\": 12}", "{\"title\":\"12\"}", NULL,
         LENIENT_FORM},
    };

    EXPECT_ROWS(rows);
}

Test(reply, matches_labels_despite_case_quotes_and_punctuation)
{
    static const struct row rows[] = {
        {"sort", CHAT, 1, "[[ ## intent ## ]]\n\"Track_Order\"." END,
         "{\"intent\":\"track_order\",\"confidence\":null}", NULL,
         LENIENT_LABEL | LENIENT_UNREAD},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\nIntent: track order" END,
         "{\"intent\":\"track_order\",\"confidence\":null}", NULL,
         LENIENT_LABEL | LENIENT_UNREAD},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\nrefund me\n\nThey want it." END,
         "{\"intent\":\"Refund me\",\"confidence\":null}", NULL,
         LENIENT_LABEL | LENIENT_UNREAD},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\n`yes_sir`" END,
         "{\"intent\":\"yes_sir\",\"confidence\":null}", NULL,
         LENIENT_LABEL | LENIENT_UNREAD},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\nYes Sir" END, NULL,
         "`intent` is \"Yes Sir\", but must be one of: track_order; Refund me; "
         "yes-sir; yes_sir; YES",
         0},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\ntrack_order\nrefund me" END,
         NULL,
         "`intent` is \"track_order refund me\", but must be one of: "
         "track_order; Refund me; yes-sir; yes_sir; YES",
         0},
        {"sort", CHAT, 1, "[[ ## intent ## ]]\ngossip" END, NULL,
         "`intent` is \"gossip\", but must be one of: track_order; Refund me; "
         "yes-sir; yes_sir; YES",
         0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_a_number_among_words)
{
    static const struct row rows[] = {
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n1,000" END,
         "{\"amount\":1000}", NULL, LENIENT_NUMBER},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\nabout 3 items" END,
         "{\"amount\":3}", NULL, LENIENT_NUMBER},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n3.0" END, "{\"amount\":3}",
         NULL, LENIENT_NUMBER},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n3.000" END, NULL,
         "`amount` is \"3.000\", but must be int, at most 5000", 0},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n-3" END, "{\"amount\":-3}",
         NULL, 0},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\nit is -3." END,
         "{\"amount\":-3}", NULL, LENIENT_NUMBER},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n3 or 4" END, NULL,
         "`amount` is \"3 or 4\", but must be int, at most 5000", 0},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n3.5" END, NULL,
         "`amount` is \"3.5\", but must be int, at most 5000", 0},
        {"count", CHAT, ALL, "[[ ## amount ## ]]\n9999" END, NULL,
         "`amount` is 9999, above its maximum 5000", 0},
        {"sort", CHAT, 2, "[[ ## confidence ## ]]\n90%" END,
         "{\"intent\":null,\"confidence\":0.9}", NULL,
         LENIENT_NUMBER | LENIENT_UNREAD},
        {"rate", CHAT, ALL, "[[ ## rate ## ]]\n90%" END, NULL,
         "`rate` is \"90%\", but must be float", 0},
        {"rate", CHAT, ALL, "[[ ## rate ## ]]\n1e3" END, "{\"rate\":1000.0}",
         NULL, 0},
        {"rate", CHAT, ALL, "[[ ## rate ## ]]\nhigh" END, NULL,
         "`rate` is \"high\", but must be float", 0},
        {"rate", JSON, ALL, "{\"rate\": \"2.5\"}", "{\"rate\":2.5}", NULL,
         LENIENT_NUMBER},
        {"judge", CHAT, ALL, "[[ ## right ## ]]\nYes." END, "{\"right\":true}",
         NULL, LENIENT_LABEL},
        {"judge", CHAT, ALL, "[[ ## right ## ]]\nperhaps" END, NULL,
         "`right` is \"perhaps\", but must be bool, true or false", 0},
        {"maybe", CHAT, ALL, "[[ ## year ## ]]\nNone" END, "{\"year\":null}",
         NULL, LENIENT_LABEL},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_have_lists_and_objects_within_text)
{
    static const struct row rows[] = {
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n```\n[\"Red\"]\n```" END,
         "{\"tags\":[\"red\"]}", NULL, LENIENT_FENCE | LENIENT_LABEL},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n- red\n- blue" END,
         "{\"tags\":[\"red\",\"blue\"]}", NULL, LENIENT_FORM},
        {"tags", CHAT, ALL, "[[ ## tags ## ]]\n1. red\n2) blue" END,
         "{\"tags\":[\"red\",\"blue\"]}", NULL, LENIENT_FORM},
        {"tags", JSON, ALL, "{\"tags\": \"[\\\"red\\\"]\"}",
         "{\"tags\":[\"red\"]}", NULL, LENIENT_FORM},
        {"facts", CHAT, ALL,
         "[[ ## facts ## ]]\nHere: {\"size\": \"3\", \"more\": 1}" END,
         "{\"facts\":{\"size\":3,\"note\":null}}", NULL,
         LENIENT_FENCE | LENIENT_NUMBER},
        {"facts", CHAT, ALL, "{\"size\": 3, \"note\": \"x\"}",
         "{\"facts\":{\"size\":3,\"note\":\"x\"}}", NULL, LENIENT_BARE},
        {"facts", CHAT, ALL, "[[ ## facts ## ]]\n{\"note\": \"x\"}" END, NULL,
         "`facts` has no \"size\"", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_omit_fields_that_nothing_reads)
{
    static const struct row rows[] = {
        {"sort", CHAT, 1, "[[ ## intent ## ]]\ntrack_order" END,
         "{\"intent\":\"track_order\",\"confidence\":null}", NULL,
         LENIENT_UNREAD},
        {"sort", JSON, 1,
         "{\"intent\": \"track_order\", \"confidence\": \"sure\"}",
         "{\"intent\":\"track_order\",\"confidence\":null}", NULL,
         LENIENT_UNREAD},
        {"sort", CHAT, ALL, "[[ ## intent ## ]]\ntrack_order" END, NULL,
         "the section [[ ## confidence ## ]] is missing", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, is_refused_when_it_is_not_text)
{
    const struct reply_asked asked = {find_step("name"), CHAT, ALL};
    json_t *outputs = NULL;
    unsigned lenient = 0;

    cr_expect_not(reply_parse(&asked, (struct span){"a\xff", 2}, &outputs,
                              &lenient, &err));
    cr_expect_str_eq(err.text, "the answer is not valid UTF-8 text");
    err = ERR_CLEAR;
    cr_expect_not(
        reply_parse(&asked, (struct span){" \n", 2}, &outputs, &lenient, &err));
    cr_expect_str_eq(err.text, "the answer is empty");
}

Test(reply, shows_no_control_characters_of_a_wrong_value)
{
    json_t *outputs = NULL;
    unsigned lenient = 0;
    const char text[] = "[[ ## amount ## ]]\n\x1b[mred\x07" END;
    const struct reply_asked asked = {find_step("count"), CHAT, ALL};

    cr_expect_not(reply_parse(&asked, (struct span){text, sizeof text - 1},
                              &outputs, &lenient, &err));
    cr_expect(strchr(err.text, '\x1b') == NULL);
    cr_expect(strchr(err.text, '\x07') == NULL);
}

// ---- hostile text

static const char *const pieces[] = {
    "[[ ## intent ## ]]",
    "[[ ## completed ## ]]",
    "[[",
    "##",
    "]]",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\n",
    ",",
    ":",
    "intent",
    "confidence",
    "title",
    "90%",
    "1,000",
    "-",
    "0.5",
    "```json\n",
    "<think>",
    "</think>",
    "null",
    "track_order",
    "\xC3\xA9",
    "\xff",
    "- red\n",
    "amount",
    "tags",
    "facts",
    "names",
    "'",
    " [[ ## title ## ]] ",
    "\xE2\x88\x92",
    "$",
    "\\boxed{",
    "<|im_end|>",
    "</thinking>",
    "\xE2\x80\x9C",
    "//",
    "B. ",
    "The answer is ",
    "\xCC\x81",
};

static void put_noise(struct rng *rng, struct buf *out)
{
    size_t n = rng_below(rng, 40);

    buf_clear(out);
    for (size_t i = 0; i < n; i++)
        buf_puts(out, pieces[rng_below(rng, sizeof pieces / sizeof pieces[0])]);
}

static void mutate(struct rng *rng, struct buf *text)
{
    size_t n = rng_below(rng, 6);

    for (size_t i = 0; i < n && text->len > 0; i++)
        text->data[rng_below(rng, text->len)] = (char)rng_below(rng, 256);
}

// Checks that any text gives either every output or a sentence.
static void expect_sane(const struct step *step, enum adapter adapter,
                        uint64_t reads, const struct buf *text)
{
    const struct reply_asked asked = {
        .step = step, .adapter = adapter, .reads = reads};
    const struct span reply = {text->len > 0 ? text->data : "", text->len};
    struct err problem = ERR_CLEAR;
    unsigned lenient = 0;
    json_t *outputs = NULL;

    if (reply_parse(&asked, reply, &outputs, &lenient, &problem)) {
        cr_assert_eq(json_object_size(outputs), step->signature.n_outputs);
        for (size_t i = 0; i < step->signature.n_outputs; i++) {
            const struct field *field = &step->signature.outputs[i];
            json_t *value = json_object_get(outputs, field->name);
            cr_assert(
                json_is_null(value) ||
                    type_check(&field->type, field->name, value, &problem),
                "%s", problem.text);
        }
    } else {
        cr_assert_eq(problem.code, ERR_INPUT);
        cr_assert_neq(problem.text[0], '\0');
    }
    json_decref(outputs);
}

Test(reply, of_any_bytes_gives_outputs_or_an_error_message)
{
    struct buf text = BUF_INIT(1 << 16);
    struct rng rng;

    rng_init(&rng, 7, "replies", 0);
    for (int i = 0; i < 20000; i++) {
        size_t step = rng_below(&rng, program->n_steps);
        put_noise(&rng, &text);
        mutate(&rng, &text);
        expect_sane(&program->steps[step],
                    rng_below(&rng, 2) == 0 ? CHAT : JSON, rng_below(&rng, 4),
                    &text);
    }
    buf_release(&text);
}

// Each would take hours if its cost grew with the square of its length.
Test(reply, of_endless_repetition_is_read_quickly, .timeout = 600)
{
    static const char *const repeated[] = {
        "</think>\n",
        "<think>",
        "</s>",
        "[[ ## title ## ]]",
        "[[ ## ",
        "<|im_end|> x",
        "'  ",
        "{'a': [",
        "a, ",
        "- a\n",
        "\xE2\x80\x8B",
        "\xCC\x81",
        "B. ",
        "Answer: ",
        "9",
        "[\"a\"] ",
        "$",
        "\\boxed{",
        "```\n",
        "is ",
    };
    struct buf text = BUF_INIT(8 << 20);

    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        buf_clear(&text);
        while (text.len < 1 << 17)
            buf_puts(&text, repeated[i]);
        for (size_t s = 0; s < program->n_steps; s++) {
            expect_sane(&program->steps[s], CHAT, ALL, &text);
            expect_sane(&program->steps[s], JSON, ALL, &text);
        }
    }
    buf_release(&text);
}

Test(reply, of_endless_brackets_is_refused_at_once, .timeout = 300)
{
    struct buf text = BUF_INIT(8 << 20);

    for (int i = 0; i < 1 << 20; i++)
        buf_puts(&text, "{[");
    expect_sane(find_step("facts"), JSON, ALL, &text);
    expect_sane(find_step("sort"), CHAT, ALL, &text);
    buf_release(&text);
}

Test(reply, an_empty_optional_text_is_null_where_its_limits_allow_none)
{
    static const struct row rows[] = {
        {"code", CHAT, ALL, "[[ ## code ## ]]\n" END, "{\"code\":null}", NULL,
         LENIENT_LABEL},
        {"code", CHAT, ALL, "[[ ## code ## ]]\nNone" END, "{\"code\":null}",
         NULL, LENIENT_LABEL},
        {"code", CHAT, ALL, "[[ ## code ## ]]\nAB" END, "{\"code\":\"AB\"}",
         NULL, 0},
        {"code", JSON, ALL, "{\"code\": \"\"}", "{\"code\":null}", NULL,
         LENIENT_LABEL},
        {"note", CHAT, ALL, "[[ ## note ## ]]\n" END, "{\"note\":\"\"}", NULL,
         0},
        {"note", JSON, ALL, "{\"note\": \"null\"}", "{\"note\":\"null\"}", NULL,
         0},
    };

    EXPECT_ROWS(rows);
}

// 1.10 is a version or a price, and 00123 a postal code.
Test(reply, spells_a_number_in_a_text_as_the_model_did)
{
    static const struct row rows[] = {
        {"name", JSON, ALL, "{\"title\": 1.10}", "{\"title\":\"1.10\"}", NULL,
         LENIENT_FORM},
        {"name", JSON, ALL, "{\"title\": 00123}", "{\"title\":\"00123\"}", NULL,
         LENIENT_FORM | LENIENT_MENDED},
        {"name", JSON, ALL, "{\"title\": +4930}", "{\"title\":\"+4930\"}", NULL,
         LENIENT_FORM | LENIENT_MENDED},
        {"name", JSON, ALL, "{\"title\": 5, \"n\": \"5.0\"}",
         "{\"title\":\"5\"}", NULL, LENIENT_FORM},
        {"names", CHAT, ALL, "[[ ## names ## ]]\n[1.10, 1.20]" END,
         "{\"names\":[\"1.10\",\"1.20\"]}", NULL, LENIENT_FORM},
        {"facts", CHAT, ALL,
         "[[ ## facts ## ]]\n{\"size\": 1, \"note\": 7.50}" END,
         "{\"facts\":{\"size\":1,\"note\":\"7.50\"}}", NULL, LENIENT_FORM},
        {"version", JSON, ALL, "{\"version\": 1.10}", "{\"version\":\"1.10\"}",
         NULL, LENIENT_LABEL},
        {"version", JSON, ALL, "{\"version\": 1.1}", "{\"version\":\"1.1\"}",
         NULL, LENIENT_LABEL},
        {"page", JSON, ALL, "{\"title\": 1.1, \"body\": 1.10}", NULL,
         "`title` is \"1.1\", but must be text", 0},
    };

    EXPECT_ROWS(rows);
}

// JSON reads \frac as a form feed and "rac", which nobody means.
Test(reply, takes_a_backslash_for_one_where_it_can_be_nothing_else)
{
    static const struct row rows[] = {
        {"name", JSON, ALL, "{\"title\": \"\\frac{1}{2}\"}",
         "{\"title\":\"\\\\frac{1}{2}\"}", NULL, LENIENT_MENDED},
        {"names", JSON, ALL, "{\"names\": [\"\\beta\"]}",
         "{\"names\":[\"\\\\beta\"]}", NULL, LENIENT_MENDED},
        {"name", JSON, ALL, "{\"title\": \"\\(x\\)\\nso\"}",
         "{\"title\":\"\\\\(x\\\\)\\nso\"}", NULL, LENIENT_MENDED},
        {"name", JSON, ALL, "{\"title\": \"C:\\Users\\new\"}", NULL,
         "the key \"title\" is missing", 0},
        {"name", JSON, ALL, "{\"title\": \"\\neq \\alpha\"}", NULL,
         "the key \"title\" is missing", 0},
        {"name", JSON, ALL, "{\"title\": \"\\new\\foo\"}", NULL,
         "`title` is \" ew oo\", but must be text", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, may_spell_the_end_marker_in_another_way_behind_a_value)
{
    static const struct row rows[] = {
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA [[ ##completed## ]]",
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "[[title]]\nA[[completed]]", "{\"title\":\"A\"}",
         NULL, LENIENT_MARKER | LENIENT_END},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA **[[ ## completed ## ]]**",
         "{\"title\":\"A\"}", NULL, LENIENT_MARKER},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA is **[[ ## completed" END,
         "{\"title\":\"A is **[[ ## completed\"}", NULL, 0},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA [[completed]] B",
         "{\"title\":\"A [[completed]] B\"}", NULL, LENIENT_END},
    };

    EXPECT_ROWS(rows);
}

// What follows such a thought may continue the value or replace it.
Test(reply, may_think_again_between_sections)
{
    static const struct row rows[] = {
        {"page", CHAT, ALL,
         "[[ ## title ## ]]\nA\n<think>\nhm\n</think>\n"
         "[[ ## body ## ]]\nB" END,
         "{\"title\":\"A\",\"body\":\"B\"}", NULL, LENIENT_FENCE},
        {"name", CHAT, ALL,
         "<think>hm</think>\n[[ ## title ## ]]\nA\n<think>x</think>" END,
         "{\"title\":\"A\"}", NULL, LENIENT_FENCE},
        {"name", CHAT, ALL, "[[ ## title ## ]]\nA\n<think>x</think>\nB" END,
         NULL, "`title` is \"\", but must be text", 0},
    };

    EXPECT_ROWS(rows);
}

Test(reply, is_not_read_where_it_would_lose_or_keep_too_much)
{
    static const struct row rows[] = {
        {"name", JSON, ALL, "{\"title\": \"<think> is a tag\"}", NULL,
         "`title` is \"<think> is a tag\", but must be text", 0},
        {"page", JSON, ALL, "{\"title\": \"A\", \"body\": nu", NULL,
         "the key \"title\" is missing", 0},
        {"page", CHAT, ALL, "```yaml\ntitle: 'A: B'\nbody: C\n```", NULL,
         "the value of \"title\" is no whole JSON", 0},
        {"page", CHAT, ALL, "```yaml\ntitle: A 'b'\nbody: C\n```",
         "{\"title\":\"A 'b'\",\"body\":\"C\"}", NULL,
         LENIENT_MARKER | LENIENT_END | LENIENT_FENCE},
    };

    EXPECT_ROWS(rows);
}

// Looking for each of thousands of numbers in a long reply would take minutes.
Test(reply, searches_for_the_spelling_of_a_few_numbers_only)
{
    static const char *const items[] = {"1.50", "007"};

    for (size_t i = 0; i < 2; i++) {
        struct buf text = BUF_INIT(1 << 16);

        buf_puts(&text, "{\"names\": [");
        for (int n = 0; n < 40; n++)
            buf_printf(&text, n > 0 ? ", %s" : "%s", items[i]);
        buf_puts(&text, "]}");
        const struct reply_asked asked = {
            .step = find_step("names"), .adapter = JSON, .reads = ALL};
        struct err problem = ERR_CLEAR;
        unsigned lenient = 0;
        json_t *outputs = NULL;
        bool ok = reply_parse(&asked, (struct span){text.data, text.len},
                              &outputs, &lenient, &problem);
        cr_expect_eq(ok, i == 1, "%s: %s", items[i], problem.text);
        json_decref(outputs);
        buf_release(&text);
    }
}
