#include "program/run/compiled.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "given_program.h"
#include "program/run/compiled_name.h"

static struct job job;
static struct plan plan;
static struct candidate *candidate;
static struct buf text;
static struct err err;
static json_t *scores;
static struct compiled_facts facts;

static void open_job(void)
{
    err = ERR_CLEAR;
    text = BUF_INIT(1 << 20);
    job = (struct job){.name = "customer-care", .seed = 9};
    job.program = given_program(given_customer_care);
    job.models[ROLE_STUDENT] =
        (struct job_model){.name = "qwen2.5:14b",
                           .options = {.num_ctx = 4096, .num_predict = 1000}};
    job.models[ROLE_TEACHER] = job.models[ROLE_STUDENT];
    job.models[ROLE_JUDGE] = job.models[ROLE_STUDENT];
    plan_all(job.program, &plan);
    candidate = candidate_new(job.program, &err);
    cr_assert(candidate != NULL, "%s", err.text);
    scores = given_json("{\"baseline\": {\"score\": 0.61, \"n\": 100}, "
                        "\"compiled\": {\"score\": 0.84, \"n\": 100}, "
                        "\"test\": null}");
    facts = (struct compiled_facts){.job_id = "customer-care-3f2a1b90c4de",
                                    .optimizer = "miprov2",
                                    .digests = {"sha256:aa", "", ""},
                                    .scores = scores,
                                    .plan = &plan};
}

static void close_job(void)
{
    candidate_unref(candidate);
    program_free(job.program);
    json_decref(scores);
    buf_release(&text);
}

TestSuite(compiled, .init = open_job, .fini = close_job);

static void compile_some(void)
{
    struct demo demos[2] = {
        {.fields = given_json("{\"user_message\": \"Where is it?\", "
                              "\"intent\": \"track_order\", "
                              "\"confidence\": 0.93}"),
         .augmented = true,
         .row = 4},
        {.fields = given_json("{\"user_message\": \"Stop \\u2713\", "
                              "\"intent\": \"cancel_order\", "
                              "\"confidence\": 1}"),
         .row = 5}};

    cr_assert(candidate_set_demos(candidate, 0, 3, demos, 2, &err));
    cr_assert(candidate_set_instruction(candidate, 2, 1,
                                        "Answer in two sentences.", &err));
    json_decref(demos[0].fields);
    json_decref(demos[1].fields);
    candidate_seal(candidate);
}

static void write_file(void)
{
    buf_clear(&text);
    cr_assert(compiled_write(&job, candidate, &facts, &text, &err), "%s",
              err.text);
}

static json_t *written(void)
{
    write_file();
    json_t *root = json_parse(text.data, text.len, text.len, &err);
    cr_assert(root != NULL, "%s", err.text);
    return root;
}

static struct compiled *read_file(void)
{
    return compiled_read("compiled.json", text.data, text.len, &err);
}

Test(compiled, begins_like_a_dspy_file)
{
    static const char head[] =
        "{\n"
        "  \"classify\": {\n"
        "    \"traces\": [],\n"
        "    \"train\": [],\n"
        "    \"demos\": [\n"
        "      {\n"
        "        \"augmented\": true,\n"
        "        \"user_message\": \"Where is it?\",\n"
        "        \"intent\": \"track_order\",\n"
        "        \"confidence\": 0.93\n"
        "      },\n"
        "      {\n"
        "        \"user_message\": \"Stop \xE2\x9C\x93\",\n"
        "        \"intent\": \"cancel_order\",\n"
        "        \"confidence\": 1\n"
        "      }\n"
        "    ],\n"
        "    \"signature\": {\n"
        "      \"instructions\": \"Classify the message into a single "
        "intent.\",\n"
        "      \"fields\": [\n"
        "        {\n"
        "          \"prefix\": \"User Message:\",\n"
        "          \"description\": \"Raw message from the customer\"\n"
        "        },\n"
        "        {\n"
        "          \"prefix\": \"Intent:\",\n"
        "          \"description\": \"one of: track_order; cancel_order; "
        "general_query\"\n"
        "        },\n"
        "        {\n"
        "          \"prefix\": \"Confidence:\",\n"
        "          \"description\": \"How sure (float, 0 to 1)\"\n"
        "        }\n"
        "      ]\n"
        "    },\n"
        "    \"lm\": null\n"
        "  },\n";

    compile_some();
    write_file();
    cr_assert_gt(text.len, sizeof head);
    text.data[sizeof head - 1] = '\0';
    cr_expect_str_eq(text.data, head);
}

Test(compiled, has_a_key_for_each_predictor_and_then_metadata)
{
    static const char *const keys[] = {"classify", "extract", "respond.predict",
                                       "metadata"};
    size_t i = 0;
    json_t *root = written();

    for (void *at = json_object_iter(root); at != NULL;
         at = json_object_iter_next(root, at), i++) {
        cr_assert_lt(i, 4);
        cr_expect_str_eq(json_object_iter_key(at), keys[i]);
    }
    cr_expect_eq(i, 4);
    json_t *fields = json_object_get(
        json_object_get(json_object_get(root, "respond.predict"), "signature"),
        "fields");
    cr_expect_str_eq(json_get_text(json_array_get(fields, 4), "prefix", ""),
                     "Reasoning:");
    cr_expect_eq(text.data[text.len - 1], '\n');
    json_decref(root);
}

Test(compiled, records_versions_and_everything_a_run_needs)
{
    json_t *root = written();
    json_t *metadata = json_object_get(root, "metadata");
    json_t *ours = json_object_get(metadata, "promptcc");
    char *versions =
        json_text(json_object_get(metadata, "dependency_versions"));
    char *options = json_text(json_object_get(
        json_object_get(json_object_get(ours, "models"), "student"),
        "options"));

    cr_expect_str_eq(versions, "{\"python\":\"3.11\",\"dspy\":\"3.4.1\","
                               "\"cloudpickle\":\"3.1\"}");
    cr_expect_str_eq(options, "{\"num_ctx\":4096,\"num_predict\":1000,"
                              "\"temperature\":0.0}");
    cr_expect_str_eq(json_get_text(ours, "job", ""),
                     "customer-care-3f2a1b90c4de");
    cr_expect_eq(json_get_int(ours, "seed", 0), 9);
    cr_expect(json_equal(json_object_get(ours, "scores"), scores));
    cr_expect_null(json_object_get(ours, "warning"));
    free(versions);
    free(options);
    json_decref(root);
}

Test(compiled, says_when_it_was_simulated)
{
    facts.simulated = true;
    json_t *root = written();
    json_t *ours =
        json_object_get(json_object_get(root, "metadata"), "promptcc");

    cr_expect(json_is_true(json_object_get(ours, "simulated")));
    cr_expect(strstr(json_get_text(ours, "warning", ""), "simulated") != NULL);
    json_decref(root);
}

Test(compiled, names_the_steps_that_were_not_measured)
{
    bool reads[4] = {true, false, false, false};

    plan_make(job.program, reads, &plan);
    json_t *root = written();
    char *steps = json_text(json_object_get(
        json_object_get(json_object_get(root, "metadata"), "promptcc"),
        "unmeasured_steps"));
    cr_expect_str_eq(steps, "[\"extract\",\"respond\"]");
    free(steps);
    json_decref(root);
}

Test(compiled, is_the_same_bytes_each_time)
{
    struct buf again = BUF_INIT(1 << 20);

    compile_some();
    write_file();
    cr_assert(compiled_write(&job, candidate, &facts, &again, &err));
    cr_expect_str_eq(text.data, again.data);
    buf_release(&again);
}

Test(compiled, round_trips)
{
    compile_some();
    facts.simulated = true;
    job.settings.adapter = ADAPTER_JSON;
    write_file();
    struct compiled *compiled = read_file();
    cr_assert(compiled != NULL, "%s", err.text);

    cr_expect(hash_equal(&compiled->candidate->id, &candidate->id));
    cr_expect(compiled->candidate->parts[0].demos[0].augmented);
    cr_expect_not(compiled->candidate->parts[0].demos[1].augmented);
    cr_expect_eq(compiled->settings.adapter, ADAPTER_JSON);
    cr_expect_str_eq(compiled->model, "qwen2.5:14b");
    cr_expect_str_eq(compiled->digest, "sha256:aa");
    cr_expect_eq(compiled->settings.options.num_ctx, 4096);
    cr_expect_eq(compiled->settings.options.num_predict, 1000);
    cr_expect(compiled->simulated);
    json_t *one = program_json(compiled->program);
    json_t *other = program_json(job.program);
    cr_expect(json_equal(one, other));
    json_decref(one);
    json_decref(other);
    compiled_free(compiled);
}

// ---- invalid files

// Returns the value at a path of keys, "a/b/c"; borrowed.
static json_t *member(json_t *root, const char *path)
{
    char key[100];
    size_t len = strcspn(path, "/");

    memcpy(key, path, len);
    key[len] = '\0';
    json_t *at = json_object_get(root, key);
    cr_assert(at != NULL, "%s", path);
    return path[len] == '\0' ? at : member(at, path + len + 1);
}

// Removes or replaces the value at a path of keys, "a/b/c".
static void change(const char *path, json_t *value)
{
    json_t *root = written();
    json_t *at = root;
    char key[100];
    size_t len = strcspn(path, "/");

    for (; path[len] != '\0'; path += len + 1, len = strcspn(path, "/")) {
        memcpy(key, path, len);
        key[len] = '\0';
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key))
                               : json_object_get(at, key);
        cr_assert(at != NULL, "%s", key);
    }
    if (value == NULL)
        json_object_del(at, path);
    else
        json_object_set_new(at, path, value);
    buf_clear(&text);
    json_put(&text, root);
    json_decref(root);
}

static void expect_bad(const char *path, json_t *value, const char *sentence)
{
    err = ERR_CLEAR;
    change(path, value);
    struct compiled *compiled = read_file();
    cr_expect_null(compiled, "%s", path);
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_str_eq(err.text, sentence, "%s", err.text);
    compiled_free(compiled);
}

Test(compiled, is_refused_with_a_message_that_says_what_is_wrong)
{
    compile_some();
    expect_bad(
        "metadata", NULL,
        "compiled.json: it was not written by promptcc (it has no "
        "metadata.promptcc), so it does not say what the program is; use it "
        "with `promptcc eval JOB --compiled`");
    expect_bad("metadata/promptcc/format", json_integer(4),
               "compiled.json: it was written by a newer promptcc (format 4): "
               "update this one");
    expect_bad("metadata/promptcc/format", json_string("x"),
               "compiled.json: metadata.promptcc.format must be 1, 2 or 3");
    expect_bad("metadata/promptcc/program", json_integer(2),
               "compiled.json: metadata.promptcc.program must be a JSON "
               "object");
    expect_bad("metadata/promptcc/adapter", json_string("xml"),
               "compiled.json: metadata.promptcc: `adapter` must be chat or "
               "json");
    expect_bad("metadata/promptcc/adapter", NULL,
               "compiled.json: metadata.promptcc has no `adapter`");
    expect_bad("metadata/promptcc/models/student/name", NULL,
               "compiled.json: metadata.promptcc.models.student.name must be "
               "a model's name");
    expect_bad("metadata/promptcc/models/student/options/num_ctx",
               json_integer(-1),
               "compiled.json: metadata.promptcc.models.student.options: "
               "`num_ctx` must be a whole number from 128 to 16777216");
}

Test(compiled, stores_a_pool_where_dspy_does_not_read_it_as_demos)
{
    compile_some();
    json_t *plain = written();
    cr_expect_eq(json_integer_value(member(plain, "metadata/promptcc/format")),
                 1, "a file that older readers read well says so");
    cr_expect_null(
        json_object_get(member(plain, "metadata/promptcc"), "pools"));
    json_decref(plain);

    candidate_set_nearest(candidate, 0, 1);
    candidate_seal(candidate);
    json_t *root = written();
    cr_expect_eq(json_array_size(member(root, "classify/demos")), 0);
    cr_expect_eq(json_integer_value(member(root, "metadata/promptcc/format")),
                 2);
    cr_expect_eq(
        json_array_size(member(root, "metadata/promptcc/pools/classify/demos")),
        2);
    json_decref(root);

    struct compiled *compiled = read_file();
    cr_assert_not_null(compiled, "%s", err.text);
    cr_expect_eq(compiled->candidate->parts[0].nearest, 1);
    cr_expect_eq(compiled->candidate->parts[0].n_demos, 2);
    cr_expect_eq(
        memcmp(&compiled->candidate->id, &candidate->id, sizeof candidate->id),
        0);
    compiled_free(compiled);
    expect_bad("metadata/promptcc/pools/classify/nearest", json_integer(0),
               "compiled.json: metadata.promptcc.pools.classify.nearest must "
               "be a number from 1 to 1000");
}

Test(compiled, is_refused_when_its_predictors_do_not_match_the_program)
{
    compile_some();
    expect_bad("extract", NULL,
               "compiled.json: it has no predictor \"extract\"; it was compiled "
               "from another program");
    expect_bad("sum", json_pack("{s:s}", "signature_instructions", "x"),
               "compiled.json: it has a predictor \"sum\" that the program "
               "lacks; it was compiled from another program");
    expect_bad("classify/signature/instructions", NULL,
               "compiled.json: the predictor of step classify has no "
               "instructions (a text under signature.instructions)");
    expect_bad(
        "classify/signature/fields", json_array(),
        "compiled.json: the predictor of step classify has 0 fields, not "
        "3; it was compiled from another program");
    expect_bad("classify/signature/fields/1/prefix", json_string("Topic:"),
               "compiled.json: field 2 of step classify is \"Topic:\", not "
               "`intent`; it was compiled from another program");
    expect_bad("classify/demos", json_integer(1),
               "compiled.json: the demos of step classify must be a list of "
               "at most 1000 JSON objects");
    expect_bad("classify/demos/0/confidence", json_integer(5),
               "compiled.json: a demo of step classify: `confidence` is 5, "
               "above its maximum 1");
}

Test(compiled, is_refused_when_it_is_not_a_json_object)
{
    cr_expect_null(compiled_read("x.json", "[1]", 3, &err));
    cr_expect_str_eq(err.text,
                     "x.json: this is not a compiled program: it is not a JSON "
                     "object");
    err = ERR_CLEAR;
    cr_expect_null(compiled_read("x.json", "{\"a\"", 4, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect(strncmp(err.text, "x.json: not valid JSON at line 1", 32) == 0,
              "%s", err.text);
}

Test(compiled, is_refused_with_a_reason_however_long_its_path_is)
{
    char path[400];

    (void)snprintf(path, sizeof path, "%0300d/compiled.json", 0);
    cr_expect_null(compiled_read(path, "[]", 2, &err));
    cr_expect_str_eq(err.text,
                     ".../compiled.json: this is not a compiled program: it "
                     "is not a JSON object");
}

Test(compiled, is_refused_with_the_place_of_a_broken_program)
{
    compile_some();
    change("metadata/promptcc/program/steps/classify/predict", json_integer(1));
    struct compiled *compiled = read_file();
    if (compiled == NULL)
        cr_expect(strncmp(err.text, "compiled.json:1:", 16) == 0, "%s",
                  err.text);
    compiled_free(compiled);
    err = ERR_CLEAR;
    change("metadata/promptcc/program/steps", json_integer(1));
    cr_expect_null(read_file());
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect(strncmp(err.text, "compiled.json:1:", 16) == 0, "%s", err.text);
}

// ---- files written by DSPy

static struct candidate *read_candidate(const char *json)
{
    return compiled_candidate(job.program, "dspy.json", json, strlen(json),
                              &err);
}

Test(compiled, may_be_an_old_dspy_file)
{
    struct candidate *old = read_candidate(
        "{\"classify\": {\"signature_instructions\": \"Sort.\", \"demos\": []},"
        " \"extract\": {\"signature_instructions\": \"Take.\", \"demos\": "
        "[{\"user_message\": \"a\", \"order_id\": \"1\", \"issue\": \"b\", "
        "\"other\": 1}, {\"user_message\": \"a\"}]},"
        " \"respond\": {\"signature_instructions\": \"No.\", "
        "\"extended_signature_instructions\": \"Write.\", \"demos\": []}}");

    cr_assert(old != NULL, "%s", err.text);
    cr_expect_str_eq(old->parts[0].instruction, "Sort.");
    cr_expect_str_eq(old->parts[2].instruction, "Write.");
    cr_expect_eq(old->parts[1].n_demos, 1);
    cr_expect_null(json_object_get(old->parts[1].demos[0].fields, "other"));
    candidate_unref(old);
}

Test(compiled, may_be_a_dspy_file_without_promptcc_metadata)
{
    compile_some();
    change("metadata", NULL);
    struct candidate *same =
        compiled_candidate(job.program, "dspy.json", text.data, text.len, &err);
    cr_assert(same != NULL, "%s", err.text);
    cr_expect(hash_equal(&same->id, &candidate->id));
    candidate_unref(same);
}

Test(compiled, labels_fields_as_dspy_does)
{
    static const char *const rows[][2] = {
        {"user_message", "User Message:"},
        {"order_id", "Order Id:"},
        {"text2number", "Text 2 Number:"},
        {"HTMLParser", "HTML Parser:"},
        {"my__field", "My  Field:"},
        {"user_Message", "User  Message:"},
        {"a1b2", "A 1 B 2:"},
        {"_x", " X:"},
        {"camelCase", "Camel Case:"},
        {"URL", "URL:"},
        {"userID", "User ID:"},
        {"ID2", "ID 2:"},
        {"x_1", "X 1:"},
        {"fooBAR", "Foo BAR:"},
        {"A_B", "A B:"},
        {"aB", "A B:"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_clear(&text);
        compiled_prefix(rows[i][0], &text);
        cr_expect_str_eq(text.data, rows[i][1]);
        cr_expect(compiled_prefix_fits(rows[i][1], rows[i][0]));
    }
    cr_expect(compiled_prefix_fits("Reasoning: Let's think", "reasoning"));
    cr_expect_not(compiled_prefix_fits("Reason:", "reasoning"));
    cr_expect_not(compiled_prefix_fits("Reasonings:", "reasoning"));
}

// --- searches by embeddings

static const char searches[] =
    "inputs: {q: }\n"
    "steps:\n"
    "  search: {retrieve: d.jsonl, inputs: [q], by: embeddings}\n"
    "  answer: {predict: A., inputs: {q: , x: search.passages}, outputs: {a: "
    "}}\n"
    "outputs: {a: answer.a}\n";

static void search_instead(void)
{
    candidate_unref(candidate);
    program_free(job.program);
    job.program = given_program(searches);
    plan_all(job.program, &plan);
    candidate = candidate_new(job.program, &err);
    job.models[ROLE_EMBED] =
        (struct job_model){.name = "all-minilm", .options = {.num_ctx = 512}};
    facts.digests[ROLE_EMBED] = "sha256:ee";
}

Test(compiled, names_the_embedding_model)
{
    search_instead();
    candidate_seal(candidate);
    write_file();
    struct compiled *read = read_file();
    const char *models[2];

    cr_assert_not_null(read, "%s", err.text);
    cr_expect_str_eq(read->embed_model, "all-minilm");
    cr_expect_str_eq(read->embed_digest, "sha256:ee");
    cr_expect_eq(read->embed_num_ctx, 512);
    cr_expect_eq(compiled_models(read, models), 2);
    cr_expect_str_eq(models[1], "all-minilm");
    compiled_free(read);
}

Test(compiled, winner_that_searches_by_words_needs_no_embedding_model)
{
    json_t *words = json_string("words");
    const char *models[2];

    search_instead();
    cr_assert(candidate_set_value(candidate, "search.by", words, &err), "%s",
              err.text);
    candidate_seal(candidate);
    write_file();
    struct compiled *read = read_file();
    cr_assert_not_null(read, "%s", err.text);
    cr_expect_eq(compiled_models(read, models), 1);
    compiled_free(read);
    json_decref(words);
}

Test(compiled, a_pool_that_is_picked_by_embeddings_says_so)
{
    job.program->pools_by = SEARCH_BY_EMBEDDINGS;
    job.models[ROLE_EMBED] =
        (struct job_model){.name = "all-minilm", .options = {.num_ctx = 512}};
    compile_some();
    struct candidate *pool = candidate_copy(candidate, &err);
    candidate_set_nearest(pool, 0, 1);
    candidate_seal(pool);
    candidate_unref(candidate);
    candidate = pool;
    write_file();
    cr_expect_not_null(strstr(text.data, "\"format\": 3"));
    struct compiled *read = read_file();
    cr_assert_not_null(read, "%s", err.text);
    cr_expect_eq(read->program->pools_by, SEARCH_BY_EMBEDDINGS);
    cr_expect_str_eq(read->embed_model, "all-minilm");
    compiled_free(read);
    job.program->pools_by = SEARCH_BY_WORDS;
    cr_expect_null(compiled_candidate(job.program, "compiled.json", text.data,
                                      text.len, &err));
    cr_expect_not_null(strstr(err.text, "demos: {by: embeddings}"), "%s",
                       err.text);
}

Test(compiled, a_search_by_embeddings_without_its_model_is_refused)
{
    search_instead();
    job.models[ROLE_EMBED] = (struct job_model){0};
    candidate_seal(candidate);
    write_file();
    cr_expect_null(read_file());
    cr_expect_not_null(strstr(err.text, "models.embed.name"), "%s", err.text);
}
