#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "program/source/node.h"
#include "program/source/yaml.h"

static struct arena arena;
static struct diags *diags;
static struct buf out;

static void open_list(void)
{
    struct err err = ERR_CLEAR;

    arena = ARENA_INIT(64 << 20);
    out = BUF_INIT(1 << 20);
    diags = diags_new(&err);
    cr_assert_not_null(diags, "%s", err.text);
}

static void close_list(void)
{
    diags_free(diags);
    arena_release(&arena);
    buf_release(&out);
}

TestSuite(node, .init = open_list, .fini = close_list);

static struct node *parse(const char *text)
{
    return yaml_parse(&arena, "job.yaml", text, strlen(text), diags);
}

// Returns the first error, or "" if there is none.
static const char *complaint(void)
{
    static struct err err;

    err = ERR_CLEAR;
    return diags_ok(diags, &err) ? "" : err.text;
}

static void expect_json(const struct node *node, const char *want)
{
    cr_assert_not_null(node, "%s", complaint());
    json_t *json = node_json(node);
    buf_clear(&out);
    json_put(&out, json);
    json_decref(json);
    cr_expect_str_eq(out.data, want, "%s", out.data);
}

static void expect_complaint(const char *text, const char *want)
{
    (void)parse(text);
    cr_expect_str_eq(complaint(), want, "%s", complaint());
}

Test(node, gives_plain_scalars_their_core_type_and_quoted_ones_text)
{
    expect_json(parse("[1, -2, 1.5, 1e3, true, no, ~, null, '1', \"true\"]"),
                "[1,-2,1.5,1000.0,true,\"no\",null,null,\"1\",\"true\"]");
}

Test(node, reads_json_as_it_is)
{
    expect_json(parse("{\"a\": \"\\u00e9\\n\\ud83d\\ude00 # : \\/\", "
                      "\"b\": [null, {}, []]}"),
                "{\"a\":\"\xc3\xa9\\n\xf0\x9f\x98\x80 # : /\","
                "\"b\":[null,{},[]]}");
}

Test(node, knows_the_position_of_each_value)
{
    const struct node *root = parse("a: 1\nb:\n  - x\n  -   yes\nc:\n");
    const struct node *list = node_find(root, "b");

    cr_assert_not_null(root);
    cr_expect_eq(list->items[1]->place.line, 4);
    cr_expect_eq(list->items[1]->place.column, 7);
    cr_expect_eq(list->items[1]->place.width, 3);
    cr_expect_eq(root->key_places[1].line, 2);
    cr_expect_eq(node_find(root, "c")->place.line, 5);
}

Test(node, resolves_anchors_and_merge_keys)
{
    expect_json(parse("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\n"
                      "d: {<<: [*a, {z: 4}]}"),
                "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":1,\"y\":2},"
                "\"c\":{\"y\":3,\"x\":1},\"d\":{\"x\":1,\"y\":2,\"z\":4}}");
}

Test(node, refuses_each_duplicate_key_and_continues)
{
    (void)parse("a: 1\nb: 2\na: 3\nb: 4\n");
    cr_expect_eq(diags->errors, 2);
    cr_expect_str_eq(complaint(), "job.yaml:3:1: `a` appears here a second "
                                  "time, the first is on line 1");
}

Test(node, refuses_an_anchor_within_itself)
{
    expect_complaint("a: &a [*a]",
                     "job.yaml:1:9: there is no anchor `&a` before this place");
}

Test(node, limits_the_expansion_of_anchors)
{
    struct buf text = BUF_INIT(1 << 16);

    buf_puts(&text, "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 0; i < 9; i++) {
        buf_printf(&text, "b%d: &a%d [", i, i + 1);
        for (int j = 0; j < 10; j++)
            buf_printf(&text, "*a%d, ", i);
        buf_puts(&text, "]\n");
    }
    cr_expect_null(yaml_parse(&arena, "f", text.data, text.len, diags));
    cr_expect_str_eq(diags->items[0].code, "too-large");
    buf_release(&text);
}

Test(node, limits_depth)
{
    char text[2 * 100 + 1] = {0};

    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    cr_expect_null(parse(text));
    cr_expect_eq(diags->errors, 1);
}

Test(node, reports_where_the_yaml_is_invalid)
{
    expect_complaint("a: b: c",
                     "job.yaml:1:5: this is not valid YAML: invalid nested "
                     "block mapping on the same line");
}

Test(node, refuses_invalid_utf8)
{
    expect_complaint("a: \xff",
                     "job.yaml: the text is not UTF-8: save it as UTF-8 "
                     "(`iconv -f OTHER -t UTF-8 OLD > NEW`, OTHER being "
                     "UTF-16 or WINDOWS-1252)");
}

Test(node, refuses_a_nul_in_quotes)
{
    expect_complaint("a: \"x\\0y\"",
                     "job.yaml:1:5: this text contains a NUL or "
                     "half a character");
}

Test(node, refuses_a_second_document)
{
    expect_complaint("a: 1\n---\nb: 2\n",
                     "job.yaml:3:1: a second YAML document begins here");
}

Test(node, empty_text_is_null)
{
    const struct node *root = parse("# only a comment\n");

    cr_assert_not_null(root);
    cr_expect_eq(root->kind, NODE_NULL);
}

Test(node, is_set_by_a_dotted_key)
{
    struct node *root = parse("a: {b: 1}\nlist: [1, 2]\n");

    cr_expect(yaml_set(&arena, root, "a.b", "{c: [x]}", diags));
    cr_expect(yaml_set(&arena, root, "new.deep.key", "3", diags));
    cr_expect(yaml_set(&arena, root, "list.1", "'4'", diags));
    expect_json(root, "{\"a\":{\"b\":{\"c\":[\"x\"]}},\"list\":[1,\"4\"],"
                      "\"new\":{\"deep\":{\"key\":3}}}");
}

Test(node, turns_a_name_shorthand_into_a_map)
{
    struct node *root = parse("optimizer: miprov2");

    cr_expect(yaml_set(&arena, root, "optimizer.miprov2.auto", "heavy", diags));
    expect_json(root, "{\"optimizer\":{\"miprov2\":{\"auto\":\"heavy\"}}}");
}

Test(node, cannot_be_set_below_a_text)
{
    struct node *root = parse("name: x\nlist: [1]");

    cr_expect_not(yaml_set(&arena, root, "name.y", "1", diags));
    cr_expect_str_eq(complaint(),
                     "--set name.y=1: there is no place for `name.y` in the "
                     "job file: `name` is not a map that could hold `y`");
    cr_expect_not(yaml_set(&arena, root, "list.1", "1", diags));
    cr_expect_not(yaml_set(&arena, root, "a..b", "1", diags));
    cr_expect_not(yaml_set(&arena, root, "a", "[1", diags));
}

Test(node, reads_counts_with_suffixes)
{
    const struct node *root = parse("[20K, 1.5M, -3, 7]");
    const int64_t want[] = {20000, 1500000, -3, 7};

    for (size_t i = 0; i < root->n; i++) {
        int64_t value = 0;
        cr_expect(
            node_int(root->items[i], "`n`", -5, INT64_MAX, &value, diags));
        cr_expect_eq(value, want[i]);
    }
}

Test(node, says_what_kind_of_value_was_expected)
{
    const struct node *root = parse("[x, '5', {}, 9, ~, 0x10]");
    const char *text = NULL;
    int64_t whole = 0;
    double number = 0;
    bool flag = false;

    cr_expect_not(node_int(root->items[0], "`n`", 0, 5, &whole, diags));
    cr_expect_not(node_int(root->items[1], "`n`", 0, 5, &whole, diags));
    cr_expect_not(node_text(root->items[2], "`t`", &text, diags));
    cr_expect_not(node_int(root->items[3], "`n`", 0, 5, &whole, diags));
    cr_expect_not(node_bool(root->items[4], "`b`", &flag, diags));
    cr_expect_not(node_number(root->items[5], "`x`", 0, 99, &number, diags));
    cr_assert_eq(diags->n, 6);
    cr_expect_str_eq(diags->items[0].text,
                     "`n` must be a whole number, found `x`");
    cr_expect_str_eq(diags->items[1].text,
                     "`n` must be a whole number, found \"5\"");
    cr_expect_str_eq(diags->items[2].text, "`t` must be a text, found a map");
    cr_expect_str_eq(diags->items[3].text, "`n` must be at most 5, found `9`");
    cr_expect_str_eq(diags->items[4].text,
                     "`b` must be true or false, found nothing");
    cr_expect_str_eq(diags->items[5].text,
                     "`x` must be a number, found `0x10`");
}

Test(node, suggests_the_nearest_key)
{
    static const char *const names[] = {"inputs", "outputs"};
    const struct node *root = parse("input: 1\nother: 2\noutputs: 3");

    node_only_keys(root, "a step", names, 2, diags);
    cr_assert_eq(diags->n, 2);
    cr_expect_str_eq(diags->items[0].text,
                     "unknown key `input` in a step, did you mean `inputs`?");
    cr_expect_str_eq(diags->items[1].text, "unknown key `other` in a step");
    cr_expect_str_eq(diags->items[1].remedy, "its keys are: inputs, outputs");
}

Test(node, a_million_open_brackets_are_refused_before_they_are_kept)
{
    enum { N = 1000000 };
    char *text = malloc(N + 1);

    cr_assert_not_null(text);
    memset(text, '[', N);
    text[N] = '\0';
    expect_complaint(
        text, "job.yaml:1:1: values are nested more than 64 levels deep");
    free(text);
}

Test(node, unclosed_brackets_inside_text_are_accepted)
{
    struct buf text = BUF_INIT(1 << 16);

    buf_puts(&text, "a: |\n");
    for (int i = 0; i < 500; i++)
        buf_puts(&text, "  [ a smile :-[\n");
    const struct node *root = parse(text.data);
    cr_assert_not_null(root);
    buf_release(&text);
}

static const char *warning(const char *text)
{
    struct node *root = parse(text);
    const char *sentence = "";

    diags->n = 0;
    cr_assert_not_null(root, "%s", complaint());
    cr_assert(node_sentence(root->items[0], "a text", &sentence, diags));
    return diags->n == 0 ? "" : diags->items[0].text;
}

Test(node, text_that_a_comment_may_cut_off_is_reported)
{
    cr_expect_str_eq(warning("a: Choose #1 or #2\n"),
                     "a text ends before `#1`, which begins a comment in YAML");
    cr_expect_str_eq(warning("a: Choose\n  or\t#zwei"),
                     "a text ends before `#zwei`, which begins a comment in "
                     "YAML");
    cr_expect_str_eq(warning("a: x #\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
                             "\xC3\xA4\xC3\xA4"),
                     "a text ends before `#\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
                     "\xC3\xA4`, which begins a comment in YAML");
}

Test(node, ordinary_comment_is_accepted)
{
    cr_expect_str_eq(warning("a: Choose # the main step\n"), "");
    cr_expect_str_eq(warning("a: Choose ## 1\n"), "");
    cr_expect_str_eq(warning("a: Choose #\n"), "");
    cr_expect_str_eq(warning("a: 'Choose' #1\n"), "");
    cr_expect_str_eq(warning("a: C#1 and F#2\n"), "");
    cr_expect_str_eq(warning("a: |\n  Choose #1\n"), "");
    cr_expect_str_eq(warning("a: Choose\n#1\n"), "");
}
