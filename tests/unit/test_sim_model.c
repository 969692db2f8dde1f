// The model inside the stand-in. The problems are made up here; the stand-in
// knows none of them.

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "simulated/sim_model.h"
#include "simulated/sim_prompt.h"
#include "simulated/sim_text.h"

enum { TURNS_MAX = 80, TOPICS = 5, WORDS = 8, ASKED = 150 };

static struct sim_model *model;
static struct err err;

static void make_model(void)
{
    err = ERR_CLEAR;
    model = sim_model_new();
    cr_assert_not_null(model);
}

static void free_model(void)
{
    sim_model_free(model);
}

TestSuite(sim_model, .init = make_model, .fini = free_model);

// ---- a labeled problem: notes about a hobby

static const struct {
    const char *label;
    const char *words[WORDS];
} HOBBIES[TOPICS] = {
    {"garden_work",
     {"soil", "seeds", "roses", "compost", "lawn", "weeds", "hedge", "garden"}},
    {"bike_riding",
     {"pedals", "saddle", "helmet", "chain", "brake", "spokes", "tyre",
      "bike"}},
    {"baking",
     {"flour", "oven", "dough", "yeast", "crust", "recipe", "butter",
      "baking"}},
    {"sailing",
     {"boat", "mast", "harbour", "anchor", "knots", "waves", "rudder",
      "sailing"}},
    {"star_watching",
     {"telescope", "planet", "orbit", "comet", "galaxy", "moon", "lens",
      "star"}},
};
static const char *const FILLERS[] = {"yesterday", "friend", "bought",
                                      "question",  "really", "small",
                                      "different", "morning"};

static const char BARE[] = "Name the hobby.";
static const char GUIDED[] =
    "Read the note and name the one hobby that it is about, exactly as "
    "listed.\n"
    "Use `garden_work` when it speaks of soil, seeds, roses, compost, lawn.\n"
    "Use `bike_riding` when it speaks of pedals, saddle, helmet, chain.\n"
    "Use `baking` when it speaks of flour, oven, dough, yeast, crust.\n"
    "Use `sailing` when it speaks of boat, mast, harbour, anchor, knots.\n"
    "Use `star_watching` when it speaks of telescope, planet, orbit, comet.";

static const char FORM[] =
    "Input fields:\n1. `note`: A short note\n\n"
    "Output fields:\n1. `hobby` (one of: garden_work; bike_riding; baking; "
    "sailing; star_watching)\n\n"
    "Every exchange has this form, with the values filled in:\n\n"
    "[[ ## note ## ]]\n{note}\n\n"
    "[[ ## hobby ## ]]\n{hobby}\n\n[[ ## completed ## ]]\n\n"
    "The user writes what comes before [[ ## hobby ## ]]; you answer with the "
    "rest.\n\nYour task: ";

struct prompt {
    struct sim_message messages[TURNS_MAX];
    char texts[TURNS_MAX][2000];
    size_t n;
};

static void add_turn(struct prompt *prompt, const char *role,
                     const char *before, const char *after)
{
    char *text = prompt->texts[prompt->n];
    snprintf(text, sizeof prompt->texts[0], "%s%s", before, after);
    prompt->messages[prompt->n++] =
        (struct sim_message){role, text, strlen(text)};
}

// Writes the i-th note, which is about HOBBIES[i % TOPICS].
static void write_note(char out[160], uint64_t i, uint64_t stream)
{
    uint64_t draw = sim_mix(i, stream);
    const char *const *own = HOBBIES[i % TOPICS].words;
    const char *const *other = HOBBIES[(i + 1 + draw % 3) % TOPICS].words;
    snprintf(out, 160, "%s %s %s %s %s", FILLERS[draw % 8],
             own[sim_mix(draw, 1) % WORDS], FILLERS[sim_mix(draw, 2) % 8],
             sim_mix(draw, 3) % 2 ? other[sim_mix(draw, 4) % WORDS] : "today",
             own[sim_mix(draw, 5) % WORDS]);
}

static void start_prompt(struct prompt *prompt, const char *instruction,
                         size_t demos, size_t shift)
{
    prompt->n = 0;
    add_turn(prompt, "system", FORM, instruction);
    for (size_t i = 0; i < demos; i++) {
        char note[160];
        char answer[160];
        write_note(note, i, 1);
        snprintf(answer, sizeof answer, "%s\n\n[[ ## completed ## ]]",
                 HOBBIES[(i + shift) % TOPICS].label);
        add_turn(prompt, "user", "[[ ## note ## ]]\n", note);
        add_turn(prompt, "assistant", "[[ ## hobby ## ]]\n", answer);
    }
}

static void ask(const struct sim_query *query, struct buf *reply)
{
    buf_clear(reply);
    cr_assert(sim_model_answer(model, query, reply, &err), "%s", err.text);
}

// Returns how many of ASKED notes get the right label.
static size_t count_right(const char *name, const char *instruction,
                          size_t demos, size_t shift)
{
    static struct prompt prompt;
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    size_t right = 0;
    start_prompt(&prompt, instruction, demos, shift);
    size_t before = prompt.n;
    for (size_t i = 0; i < ASKED; i++) {
        char note[160];
        prompt.n = before;
        write_note(note, i, 2);
        add_turn(&prompt, "user", "[[ ## note ## ]]\n", note);
        struct sim_query query = {
            .model = name, .messages = prompt.messages, .n_messages = prompt.n};
        ask(&query, &reply);
        right += strstr(reply.data, HOBBIES[i % TOPICS].label) != NULL;
    }
    buf_release(&reply);
    return right;
}

Test(sim_model, a_guide_to_the_labels_scores_better_than_a_bare_instruction)
{
    size_t bare = count_right("any:14b", BARE, 0, 0);
    size_t guided = count_right("any:14b", GUIDED, 0, 0);
    cr_expect_gt(guided, bare + ASKED / 10, "%zu against %zu", guided, bare);
}

Test(sim_model, demos_score_better_than_none_and_more_of_them_better_still)
{
    size_t none = count_right("any:14b", BARE, 0, 0);
    size_t few = count_right("any:14b", BARE, 5, 0);
    size_t many = count_right("any:14b", BARE, 25, 0);
    cr_expect_gt(few, none, "%zu against %zu", few, none);
    cr_expect_gt(many, few, "%zu against %zu", many, few);
}

Test(sim_model, demos_with_wrong_labels_score_worse_than_right_ones)
{
    size_t right = count_right("any:14b", BARE, 15, 0);
    size_t wrong = count_right("any:14b", BARE, 15, 2);
    cr_expect_lt(wrong + ASKED / 4, right, "%zu against %zu", wrong, right);
}

Test(sim_model, a_larger_model_scores_better_than_a_small_one)
{
    size_t small = count_right("any:0.5b", BARE, 0, 0);
    size_t large = count_right("any:70b", BARE, 0, 0);
    cr_expect_gt(large, small, "%zu against %zu", large, small);
}

Test(sim_model, a_bare_prompt_is_neither_hopeless_nor_perfect)
{
    size_t right = count_right("any:14b", BARE, 0, 0);
    cr_expect_gt(right, ASKED / TOPICS, "%zu", right);
    cr_expect_lt(right, ASKED * 9 / 10, "%zu", right);
}

Test(sim_model, size_in_the_model_name_sets_its_strength)
{
    cr_expect_lt(sim_model_strength("smollm2:135m"),
                 sim_model_strength("qwen2.5:0.5b"));
    cr_expect_lt(sim_model_strength("qwen2.5:0.5b"),
                 sim_model_strength("qwen2.5:14b"));
    cr_expect_lt(sim_model_strength("qwen2.5:14b"),
                 sim_model_strength("mixtral:8x7b"));
    cr_expect_float_eq(sim_model_strength("anything"), 0.6, 1e-9);
}

// ---- determinism

static void ask_once(const char *name, double heat, int64_t seed,
                     struct buf *reply)
{
    static struct prompt prompt;
    start_prompt(&prompt, BARE, 0, 0);
    add_turn(&prompt, "user", "[[ ## note ## ]]\n", "a boat in the oven");
    struct sim_query query = {.model = name,
                              .messages = prompt.messages,
                              .n_messages = prompt.n,
                              .temperature = heat,
                              .seed = seed};
    ask(&query, reply);
}

Test(sim_model, the_same_request_gets_the_same_answer_from_another_server)
{
    struct buf first = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf second = BUF_INIT(SIM_REPLY_MAX_BYTES);
    ask_once("any:14b", 1.0, 5, &first);
    sim_model_free(model);
    model = sim_model_new();
    ask_once("any:14b", 1.0, 5, &second);
    cr_expect_str_eq(first.data, second.data);
    buf_release(&first);
    buf_release(&second);
}

Test(sim_model, seed_has_no_effect_at_temperature_0)
{
    struct buf first = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf other = BUF_INIT(SIM_REPLY_MAX_BYTES);
    ask_once("any:1b", 0, 0, &first);
    for (int64_t seed = 1; seed < 20; seed++) {
        ask_once("any:1b", 0, seed, &other);
        cr_expect_str_eq(first.data, other.data);
    }
    buf_release(&first);
    buf_release(&other);
}

Test(sim_model, above_temperature_0_seeds_give_different_answers)
{
    struct buf first = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf other = BUF_INIT(SIM_REPLY_MAX_BYTES);
    size_t different = 0;
    ask_once("any:1b", 1.0, 0, &first);
    for (int64_t seed = 1; seed < 20; seed++) {
        ask_once("any:1b", 1.0, seed, &other);
        different += strcmp(first.data, other.data) != 0;
    }
    cr_expect_gt(different, 0);
    buf_release(&first);
    buf_release(&other);
}

// ---- schemas and forms

static json_t *ask_schema(const char *schema_text, const char *question)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct sim_message messages[] = {{"user", question, strlen(question)}};
    json_t *schema = json_loads(schema_text, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(schema);
    struct sim_query query = {.model = "any:0.5b",
                              .messages = messages,
                              .n_messages = 1,
                              .schema = schema,
                              .json = true};
    ask(&query, &reply);
    json_t *value = json_loadb(reply.data, reply.len, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", reply.data);
    buf_release(&reply);
    json_decref(schema);
    return value;
}

Test(sim_model, an_answer_under_a_schema_has_its_members_and_types)
{
    json_t *value = ask_schema(
        "{\"type\":\"object\",\"properties\":{"
        "\"mood\":{\"type\":\"string\",\"enum\":[\"good\",\"bad\"]},"
        "\"count\":{\"type\":\"integer\",\"minimum\":3,\"maximum\":9},"
        "\"sure\":{\"type\":\"boolean\"},"
        "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
        "\"place\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":"
        "\"string\"}}}}}",
        "It is \"good\" here, 12 times.");
    const char *mood = json_string_value(json_object_get(value, "mood"));
    cr_assert_not_null(mood);
    cr_expect(strcmp(mood, "good") == 0 || strcmp(mood, "bad") == 0);
    cr_expect_eq(json_integer_value(json_object_get(value, "count")), 9);
    cr_expect(json_is_boolean(json_object_get(value, "sure")));
    cr_expect(
        json_is_string(json_array_get(json_object_get(value, "tags"), 0)));
    cr_expect(json_is_string(
        json_object_get(json_object_get(value, "place"), "city")));
    json_decref(value);
}

Test(sim_model, a_bare_enum_gets_one_of_its_values)
{
    json_t *value = ask_schema("{\"enum\":[\"yes\",\"no\"]}", "Is it?");
    const char *text = json_string_value(value);
    cr_assert_not_null(text);
    cr_expect(strcmp(text, "yes") == 0 || strcmp(text, "no") == 0);
    json_decref(value);
}

static void ask_fields(const char *outputs, const char *question,
                       struct buf *reply)
{
    static char system[4000];
    snprintf(system, sizeof system,
             "Input fields:\n1. `message`\n\nOutput fields:\n%s\n\nDo it.",
             outputs);
    struct sim_message messages[] = {{"system", system, strlen(system)},
                                     {"user", question, strlen(question)}};
    struct sim_query query = {
        .model = "any:70b", .messages = messages, .n_messages = 2};
    ask(&query, reply);
}

Test(sim_model, texts_with_a_pattern_are_extracted_from_the_question)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    ask_fields("1. `order_id`: Order ID, else empty\n"
               "2. `customer_email`: Email, else empty\n",
               "Where is AB-1234? Write to jo@example.org.", &reply);
    cr_expect_not_null(strstr(reply.data, "\nAB-1234\n"), "%s", reply.data);
    cr_expect_not_null(strstr(reply.data, "\njo@example.org\n"), "%s",
                       reply.data);
    buf_release(&reply);
}

Test(sim_model, an_object_has_members_of_the_types_that_are_named)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    ask_fields("1. `facts` (object with count: (int, 0 to 50), share: float, "
               "sure: (bool, true or false), mood: (one of: good; bad), "
               "tags: (list of str), place: (object with city: str))\n",
               "It is good here, 12 times.", &reply);
    const char *brace = strchr(reply.data, '{');
    cr_assert_not_null(brace, "%s", reply.data);
    json_t *value =
        json_loads(brace, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
    cr_expect_eq(json_object_size(value), 6, "%s", reply.data);
    cr_expect_eq(json_integer_value(json_object_get(value, "count")), 12);
    cr_expect(json_is_real(json_object_get(value, "share")));
    cr_expect(json_is_boolean(json_object_get(value, "sure")));
    cr_expect_str_eq(json_string_value(json_object_get(value, "mood")), "good");
    cr_expect(json_is_array(json_object_get(value, "tags")));
    cr_expect(json_is_string(
        json_object_get(json_object_get(value, "place"), "city")));
    json_decref(value);
    buf_release(&reply);
}

Test(sim_model, labels_in_python_notation_are_understood)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    ask_fields("1. `kind` (Literal['parcel lost', \"it's late\"]): \n",
               "The parcel is lost!", &reply);
    cr_expect_not_null(strstr(reply.data, "parcel lost"), "%s", reply.data);
    buf_release(&reply);
}

Test(sim_model, question_keeps_its_answer_on_a_repair_request)
{
    static struct prompt prompt;
    struct buf first = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf repaired = BUF_INIT(SIM_REPLY_MAX_BYTES);
    start_prompt(&prompt, GUIDED, 5, 0);
    add_turn(&prompt, "user", "[[ ## note ## ]]\n", "compost and a hedge");
    struct sim_query query = {.model = "any:70b",
                              .messages = prompt.messages,
                              .n_messages = prompt.n};
    ask(&query, &first);
    add_turn(&prompt, "assistant", "gardening?", "");
    add_turn(&prompt, "user", "This answer could not be read. ", "Again.");
    query.n_messages = prompt.n;
    ask(&query, &repaired);
    cr_expect_not_null(strstr(first.data, "garden_work"), "%s", first.data);
    cr_expect_str_eq(first.data, repaired.data);
    buf_release(&first);
    buf_release(&repaired);
}

Test(sim_model, format_directions_are_not_part_of_the_instruction)
{
    struct arena arena = ARENA_INIT(1 << 20);
    struct sim_prompt *read = arena_alloc(&arena, sizeof *read);
    struct prompt prompt;

    start_prompt(&prompt,
                 "Name the hobby.\n\n`hobby` is one of: baking; sailing\n"
                 "`mood` is one of: good; bad",
                 0, 0);
    cr_assert_not_null(read);
    cr_assert(
        sim_prompt_read(read, &arena, prompt.messages, 1, NULL, false, &err),
        "%s", err.text);
    cr_expect_str_eq(read->instruction, "Your task: Name the hobby.");
    arena_release(&arena);
}

Test(sim_model, an_instruction_that_comes_first_is_read_whole)
{
    static const char task[] =
        "Your task: Name the hobby of the input fields:\n"
        "{\n[[ ## note ## ]]\n}\nas a word.";
    static const char form[] =
        "\n\nInput fields:\n1. `note`: A short note\n\n"
        "Output fields:\n1. `hobby` (one of: \"baking\"; \"star; "
        "watching\")\n\n"
        "Answer with one JSON object:\n\n{\n"
        "  \"hobby\": \"{hobby}\"   (exactly one of: \"baking\", \"star; "
        "watching\")\n}";
    static struct prompt prompt;
    struct arena arena = ARENA_INIT(1 << 20);
    struct sim_prompt *read = arena_alloc(&arena, sizeof *read);

    prompt.n = 0;
    add_turn(&prompt, "system", task, form);
    cr_assert_not_null(read);
    cr_assert(
        sim_prompt_read(read, &arena, prompt.messages, 1, NULL, false, &err),
        "%s", err.text);
    cr_expect_str_eq(read->instruction, task);
    cr_expect(read->as_json);
    cr_assert_eq(read->n_inputs, 1);
    cr_assert_eq(read->n_outputs, 1);
    cr_assert_eq(read->outputs[0].n_labels, 2);
    cr_expect_str_eq(read->outputs[0].labels[1], "star; watching");
    arena_release(&arena);
}

Test(sim_model, labels_that_an_instruction_lists_do_not_become_fields)
{
    static struct prompt prompt;
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    start_prompt(&prompt,
                 "Name the hobby of the input fields.\n- `baking`: flour\n"
                 "- `sailing`: boats\n[[ ## note ## ]]\n",
                 5, 0);
    add_turn(&prompt, "user", "[[ ## note ## ]]\n", "flour for the oven");
    struct sim_query query = {.model = "any:70b",
                              .messages = prompt.messages,
                              .n_messages = prompt.n};
    ask(&query, &reply);
    cr_expect_null(strstr(reply.data, "[[ ## baking ## ]]"), "%s", reply.data);
    buf_release(&reply);
}

// ---- the teacher

// Asks a teacher at temperature 1.
static void ask_teacher(const char *system, const char *user, int64_t seed,
                        struct buf *reply)
{
    struct sim_message messages[] = {
        {"system", system, strlen(system)},
        {"user", user, strlen(user)},
    };
    struct sim_query query = {.model = "any:32b",
                              .messages = messages,
                              .n_messages = 2,
                              .temperature = 1.0,
                              .seed = seed};

    ask(&query, reply);
}

static const char TEACHER[] =
    "Input fields:\n1. `dataset_examples`\n2. `basic_instruction`\n3. `tip`\n\n"
    "Output fields:\n1. `proposed_instruction`\n\nPropose an instruction.";
static const char ROWS[] =
    "[[ ## dataset_examples ## ]]\n"
    "{\"note\": \"the dough needs more yeast\", \"hobby\": \"baking\"}\n"
    "{\"note\": \"knead the dough and wait\", \"hobby\": \"baking\"}\n"
    "{\"note\": \"the anchor holds the boat\", \"hobby\": \"sailing\"}\n"
    "{\"note\": \"a boat without a rudder\", \"hobby\": \"sailing\"}\n\n"
    "[[ ## basic_instruction ## ]]\nName the hobby.\n\n"
    "[[ ## tip ## ]]\nBe clear.";

Test(sim_model, a_teacher_proposes_differing_instructions_from_the_examples)
{
    struct buf first = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf other = BUF_INIT(SIM_REPLY_MAX_BYTES);
    size_t different = 0;
    size_t guided = 0;
    for (int64_t seed = 0; seed < 12; seed++) {
        ask_teacher(TEACHER, ROWS, seed, seed == 0 ? &first : &other);
        const struct buf *last = seed == 0 ? &first : &other;
        guided +=
            strstr(last->data, "`baking` when it speaks of dough") != NULL;
        different += seed > 0 && strcmp(first.data, other.data) != 0;
        if (last->data[0] == '[')
            cr_expect_not_null(strstr(last->data, "Name the hobby."));
    }
    cr_expect_gt(different, 6, "%zu", different);
    cr_expect_gt(guided, 3, "%zu", guided);
    buf_release(&first);
    buf_release(&other);
}

static const char SURE_ROWS[] =
    "[[ ## dataset_examples ## ]]\n"
    "{\"note\": \"the dough needs yeast\", \"hobby\": \"baking\", \"sure\": "
    "0.5}\n"
    "{\"note\": \"knead the dough\", \"hobby\": \"baking\", \"sure\": 0.5}\n"
    "{\"note\": \"an anchor and a boat\", \"hobby\": \"sailing\", \"sure\": "
    "0.5}\n"
    "{\"note\": \"the boat is wet\", \"hobby\": \"sailing\", \"sure\": 0.5}\n\n"
    "[[ ## basic_instruction ## ]]\nName the hobby.\n\n"
    "[[ ## tip ## ]]\nBe clear.";

Test(sim_model, teacher_does_not_mistake_a_confidence_for_a_label)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    size_t guided = 0;
    for (int64_t seed = 0; seed < 12; seed++) {
        ask_teacher(TEACHER, SURE_ROWS, seed, &reply);
        guided += strstr(reply.data, "`baking` when it speaks of") != NULL;
        cr_expect_null(strstr(reply.data, "`0.5`"), "%s", reply.data);
    }
    cr_expect_gt(guided, 3, "%zu", guided);
    buf_release(&reply);
}

static const char REFLECTOR[] =
    "Input fields:\n1. `basic_instruction`\n2. `examples_with_feedback`\n\n"
    "Output fields:\n1. `new_instruction`\n\nImprove the instruction.";
static const char FAILURES[] =
    "[[ ## basic_instruction ## ]]\nName the hobby.\n\n"
    "[[ ## examples_with_feedback ## ]]\n"
    "note: the dough needs more yeast\nhobby: sailing\nsure: 0.9\n"
    "`hobby` is `sailing`, but `baking` is right.\n\n"
    "note: the anchor holds the boat\nhobby: sailing\nsure: 0.9\n";
static const char NESTED_FAILURES[] =
    "[[ ## basic_instruction ## ]]\nName the hobby.\n\n"
    "[[ ## examples_with_feedback ## ]]\n"
    "[{\"Inputs\": {\"note\": \"the dough needs more yeast\"}, \"Outputs\": "
    "{\"hobby\": \"sailing\"}, \"Feedback\": \"`hobby` is `sailing`, but "
    "`baking` is right.\"}, {\"Inputs\": {\"note\": \"the anchor holds the "
    "boat\"}, \"Outputs\": {\"hobby\": \"sailing\"}, \"Feedback\": "
    "\"Right.\"}]";

// Returns how many of twelve instructions recognize baking. None may take dough
// for sailing.
static size_t count_lessons(const char *failures)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    size_t right = 0;
    for (int64_t seed = 0; seed < 12; seed++) {
        ask_teacher(REFLECTOR, failures, seed, &reply);
        right += strstr(reply.data, "`baking` when it speaks of ") != NULL;
        char *sailing = strstr(reply.data, "`sailing` when");
        if (sailing != NULL) {
            sailing[strcspn(sailing, "\n")] = '\0';
            cr_expect_null(strstr(sailing, "dough"), "%s", sailing);
        }
    }
    buf_release(&reply);
    return right;
}

Test(sim_model, a_teacher_learns_from_feedback_what_is_right)
{
    cr_expect_gt(count_lessons(FAILURES), 3);
    cr_expect_gt(count_lessons(NESTED_FAILURES), 3);
}

// ---- hostile input

Test(sim_model, broken_prompts_get_some_answer)
{
    static const char *const BROKEN[] = {
        "",
        "[[ ## ",
        "[[ ##  ## ]]\n[[ ## a ## ]]",
        "Output fields:\n1. `",
        "Output fields:\n1. `a` (one of: ",
        "Output fields:\n1. `a` (Literal['",
        "Output fields:\n1. `a` (one of: ;;;;)\n[[ ## completed ## ]]",
        "Output fields:\n1. `a` (((((((float, 9e999 to -9e999)\n}",
        "Output fields:\n1. `a` (list[\n2. `b` (object with :::)\n3. `c` (int)",
        "Output fields:\n1. `instruction`\nInput fields:\n1. `program`: x",
        "\xff\xfe\x80 {\"\": {\"'\": '\\",
        "{'a': '\\",
    };
    size_t n = sizeof BROKEN / sizeof *BROKEN;
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    for (size_t i = 0; i < n * n; i++) {
        const char *system = BROKEN[i / n];
        const char *user = BROKEN[i % n];
        struct sim_message messages[] = {
            {"system", system, strlen(system)},
            {"user", user, strlen(user)},
            {"assistant", user, strlen(user)},
            {"user", user, strlen(user)},
        };
        struct sim_query query = {.model = "any:70b",
                                  .messages = messages,
                                  .n_messages = 4,
                                  .json = i % 2 == 0};
        ask(&query, &reply);
    }
    buf_release(&reply);
}

Test(sim_model, a_prompt_without_any_message_gets_an_answer)
{
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct sim_query query = {.model = ""};
    ask(&query, &reply);
    cr_expect_gt(reply.len, 0);
    buf_release(&reply);
}

Test(sim_model, deep_and_recursive_schemas_come_to_an_end)
{
    json_t *value = ask_schema(
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"}},"
        "\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"b\":"
        "{\"$ref\":\"#/$defs/n\"},\"c\":{\"$ref\":\"#/$defs/n\"}}}}}",
        "Go.");
    cr_expect(json_is_object(value));
    json_decref(value);
}

// ---- log-probabilities

static const char *hobby_of(const struct buf *reply)
{
    const char *at = strstr(reply->data, "]]\n");
    for (size_t i = 0; at != NULL && i < TOPICS; i++)
        if (strncasecmp(at + 3, HOBBIES[i].label, strlen(HOBBIES[i].label)) ==
            0)
            return HOBBIES[i].label;
    return "";
}

// The reported probability of a label is how often temperature 1 draws it.
Test(sim_model, log_probabilities_are_those_that_labels_are_drawn_by)
{
    enum { DRAWS = 300 };
    static struct prompt prompt;
    struct buf reply = BUF_INIT(SIM_REPLY_MAX_BYTES);
    struct buf list = BUF_INIT(SIM_REPLY_MAX_BYTES);
    char note[160];
    double worst = 0;

    start_prompt(&prompt, "Say which hobby the note is about.", 0, 0);
    size_t before = prompt.n;
    for (size_t i = 0; i < 6; i++) {
        size_t same = 0;
        double told = 1;
        struct sim_query query = {.model = "small:1b",
                                  .messages = prompt.messages,
                                  .logprobs = &list,
                                  .top = 20};
        prompt.n = before;
        write_note(note, i, 2);
        add_turn(&prompt, "user", "[[ ## note ## ]]\n", note);
        query.n_messages = prompt.n;
        buf_clear(&list);
        ask(&query, &reply);
        const char *label = hobby_of(&reply);
        json_t *tokens = json_parse(list.data, list.len, list.max, NULL);
        cr_assert(json_array_size(tokens) > 1, "%s", list.data);
        for (size_t t = 0; t < json_array_size(tokens); t++)
            told *=
                exp(json_get_number(json_array_get(tokens, t), "logprob", -99));
        json_decref(tokens);
        query.temperature = 1;
        query.logprobs = NULL;
        for (int d = 0; d < DRAWS; d++) {
            query.seed = d + 1;
            ask(&query, &reply);
            same += strcmp(hobby_of(&reply), label) == 0;
        }
        worst = fmax(worst, fabs(told - (double)same / DRAWS));
    }
    cr_expect_lt(worst, 0.2, "%g", worst);
    buf_release(&reply);
    buf_release(&list);
}
