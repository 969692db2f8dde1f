#include "given_data.h"

#include <stdlib.h>

#include "common/json.h"

static struct given_data given;

static void close_given(void)
{
    given_data_close(&given);
}

static void load_named(const char *name, const char *text, size_t len,
                       const char *further)
{
    char data[64];

    (void)snprintf(data, sizeof data, "{examples: %s}", name);
    given_data_open(&given, data, further);
    given_data_add(&given, name, text, len);
    given_data_load(&given);
}

static void load(const char *name, const char *text)
{
    load_named(name, text, strlen(text), "");
}

static void expect_row(size_t i, const char *fields)
{
    cr_assert(given.dataset != NULL, "%s",
              given.diags->n > 0 ? given.diags->items[0].text : "nothing");
    cr_assert(i < dataset_size(given.dataset));
    json_t *row = dataset_fields(given.dataset, i);
    char *text = json_text(row);
    cr_assert_not_null(text);
    cr_expect_str_eq(text, fields);
    free(text);
    json_decref(row);
}

static void expect_refused(int line, const char *words)
{
    cr_expect_null(given.dataset);
    given_data_expect(&given, "bad-row", line, words);
}

TestSuite(dataset, .fini = close_given);

Test(dataset, json_lines_are_rows_with_their_lines)
{
    load("e.jsonl",
         "\xEF\xBB\xBF{\"message\": \"a\", \"intent\": \"track\"}\r\n"
         "\n"
         "{\"message\": \"b\", \"intent\": \"refund\", \"x\": 1}");
    expect_row(0, "{\"message\":\"a\",\"intent\":\"track\","
                  "\"context\":\"nothing\"}");
    expect_row(1, "{\"message\":\"b\",\"intent\":\"refund\",\"x\":1,"
                  "\"context\":\"nothing\"}");
    cr_expect_eq(dataset_size(given.dataset), 2);
    cr_expect_eq(dataset_place(given.dataset, 1).line, 3);
    cr_expect_str_eq(dataset_place(given.dataset, 1).file, "e.jsonl");
}

Test(dataset, inputs_are_exactly_those_of_the_program_in_order)
{
    load("e.jsonl", "{\"intent\": \"track\", \"age\": 5, \"x\": 1, "
                    "\"message\": \"a\"}\n"
                    "{\"intent\": \"track\", \"message\": \"b\"}\n");
    cr_assert_not_null(given.dataset);
    json_t *inputs = dataset_inputs(given.dataset, 0);
    char *text = json_text(inputs);
    cr_expect_str_eq(text,
                     "{\"message\":\"a\",\"context\":\"nothing\",\"age\":5}");
    free(text);
    json_decref(inputs);
    inputs = dataset_inputs(given.dataset, 1);
    text = json_text(inputs);
    cr_expect_str_eq(
        text, "{\"message\":\"b\",\"context\":\"nothing\",\"age\":null}");
    free(text);
    json_decref(inputs);
}

Test(dataset, equal_rows_are_the_same_whatever_the_order_of_keys)
{
    load("e.jsonl", "{\"intent\": \"track\", \"message\": \"a\"}\n"
                    "{\"message\": \"a\", \"intent\": \"track\"}\n"
                    "{\"message\": \"b\", \"intent\": \"track\"}\n");
    cr_assert_not_null(given.dataset);
    cr_expect(dataset_same(given.dataset, 0, 1));
    cr_expect_not(dataset_same(given.dataset, 0, 2));
}

Test(dataset, number_may_omit_digits_that_json_requires)
{
    load("e.csv", "message,age,intent,sure\na,+31,track,.5\n"
                  "b,5.,track,1.\n");
    expect_row(0, "{\"message\":\"a\",\"age\":31,\"intent\":\"track\","
                  "\"sure\":0.5,\"context\":\"nothing\"}");
}

Test(dataset, csv_cells_get_the_types_of_their_columns)
{
    load("e.csv", "\xEF\xBB\xBFmessage,age,intent,sure,urgent,tags,other\r\n"
                  "\"a, \"\"quoted\"\"\nand long\",41,track,0.5,Yes,"
                  "\"[\"\"x\"\"]\",007\r\n"
                  "007,,cancel,1,false,,\r\n");
    expect_row(0,
               "{\"message\":\"a, \\\"quoted\\\"\\nand long\",\"age\":41,"
               "\"intent\":\"track\",\"sure\":0.5,\"urgent\":true,"
               "\"tags\":[\"x\"],\"other\":\"007\",\"context\":\"nothing\"}");
    expect_row(1, "{\"message\":\"007\",\"intent\":\"cancel\",\"sure\":1,"
                  "\"urgent\":false,\"other\":\"\",\"context\":\"nothing\"}");
    cr_expect_eq(dataset_place(given.dataset, 1).line, 4);
}

Test(dataset, csv_is_known_by_its_first_byte_too)
{
    load("examples", "message,intent\na,track\n");
    expect_row(0, "{\"message\":\"a\",\"intent\":\"track\","
                  "\"context\":\"nothing\"}");
}

Test(dataset, an_empty_cell_takes_the_default_of_its_input)
{
    load("e.csv", "message,context,intent\na,,track\nb,\"\",track\n");
    expect_row(0, "{\"message\":\"a\",\"intent\":\"track\","
                  "\"context\":\"nothing\"}");
    expect_row(1, "{\"message\":\"b\",\"context\":\"\",\"intent\":\"track\"}");
}

Test(dataset, csv_row_of_the_wrong_length_is_reported_and_the_rest_is_read)
{
    load("e.csv", "message,intent\na\nb,nonsense\n");
    expect_refused(
        2,
        "the row has 1 cell, the header 2: a cell that is empty needs its `,`");
    expect_refused(3, "intent");
}

Test(dataset, unterminated_quote_is_reported_where_it_began)
{
    load("e.csv", "message,intent\n\"a,track\nb,track\n");
    expect_refused(2, "a quoted cell does not end");
}

Test(dataset, quote_inside_a_plain_cell_is_reported)
{
    load("e.csv", "message,intent\nb \"x\",track\n\"a\"b,track\n");
    expect_refused(2, "a quote inside a cell");
    expect_refused(3, "text after the closing quote");
}

Test(dataset, duplicate_column_is_reported)
{
    load("e.csv", "message,message\na,track\n");
    cr_expect_null(given.dataset);
    given_data_expect(&given, "bad-header", 1,
                      "column 2 of the header repeats the name");
}

Test(dataset, missing_column_is_reported_once_at_the_header)
{
    load("e.csv", "mesage,intent\na,track\nb,track\n");
    cr_expect_null(given.dataset);
    given_data_expect(&given, "bad-header", 1,
                      "no column `message`; if `mesage` is it, give its field "
                      "`from: mesage`");
    cr_expect_eq(given.diags->errors, 1);
}

Test(dataset, first_mistakes_are_reported_and_the_rest_counted)
{
    char text[600] = "";

    for (int i = 0; i < 50; i++)
        memcpy(text + 9 * i, "{\"x\": 1}\n", 10);
    load("e.jsonl", text);
    cr_expect_null(given.dataset);
    cr_expect_eq(given.diags->errors, 21);
    given_data_expect(&given, "bad-row", 11, "80 further mistakes");
}

Test(dataset, invalid_utf8_is_reported)
{
    load("e.csv", "message,intent\n\xff\xfe,track\n");
    expect_refused(2, "the cell of `message` is not UTF-8 text");
    given_data_close(&given);
    load_named("e.csv", "message,intent\na\0b,track\n", 25, "");
    expect_refused(2, "the cell of `message` contains a NUL byte");
    given_data_close(&given);
    load("e.jsonl", "{\"message\": \"\xff\", \"intent\": \"track\"}\n");
    expect_refused(1, "the row is not UTF-8 text: if it is Latin-1");
}

Test(dataset, broken_json_is_reported_with_its_line_and_column)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\"}\n"
                    "{\"message\": \"a\", \"intent\": }\n"
                    "[1]\n");
    expect_refused(2, "this is not JSON");
    cr_expect_eq(given_data_find(&given, "bad-row")->place.column, 28);
    expect_refused(3, "a row must be a JSON object");
}

Test(dataset, all_mistakes_of_a_row_are_reported_at_once)
{
    load("e.jsonl", "{\"mesage\": \"a\", \"intent\": \"trak\", \"sure\": 2}\n");
    expect_refused(1, "the input `message` is missing; if `mesage` is it, give "
                      "its field `from: mesage`");
    expect_refused(1, "intent");
    expect_refused(1, "sure");
    cr_expect_eq(given.diags->errors, 3);
}

Test(dataset, empty_label_is_reported_as_empty)
{
    load("e.csv", "message,intent\na,\n");
    expect_refused(2, "the label `intent` is empty");
}

Test(dataset, missing_label_that_the_metric_needs_is_reported)
{
    load("e.jsonl", "{\"message\": \"a\"}\n"
                    "{\"message\": \"b\", \"intent\": null}\n");
    expect_refused(1, "the label `intent` is missing");
    expect_refused(2, "intent");
}

Test(dataset, null_label_that_nothing_needs_is_dropped)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\", "
                    "\"note\": null, \"classify.sure\": null, \"x\": null}\n");
    expect_row(0, "{\"message\":\"a\",\"intent\":\"track\",\"x\":null,"
                  "\"context\":\"nothing\"}");
}

Test(dataset, a_label_of_a_step_field_is_checked)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\", "
                    "\"classify.sure\": 7}\n");
    expect_refused(1, "classify.sure");
}

Test(dataset, skip_bad_counts_bad_rows_and_reports_the_first)
{
    const char text[] = "{\"message\": \"a\", \"intent\": \"track\"}\n"
                        "nonsense\n"
                        "{\"message\": \"b\", \"intent\": \"other\"}\n"
                        "{\"intent\": \"track\"}\n";

    load_named("e.jsonl", text, sizeof text - 1, "skip_bad: true\n");
    cr_assert_not_null(given.dataset);
    cr_expect_eq(dataset_size(given.dataset), 1);
    cr_expect_eq(dataset_skipped(given.dataset), 3);
    given_data_expect(&given, "skipped-rows", 2, "3 bad rows skipped");
    cr_expect_eq(given.diags->errors, 0);
}

Test(dataset, file_without_examples_is_reported)
{
    load("e.jsonl", "\n\n");
    cr_expect_null(given.dataset);
    given_data_expect(&given, "no-examples", 0, "contains no examples");
    given_data_close(&given);
    load("e.csv", "message,intent\n");
    given_data_expect(&given, "no-examples", 0, "contains no examples");
    given_data_close(&given);
    load("e.csv", "");
    given_data_expect(&given, "no-examples", 0, "contains no examples");
}

Test(dataset, rows_that_are_all_bad_leave_no_examples)
{
    load_named("e.jsonl", "x\n", 2, "skip_bad: true\n");
    cr_expect_null(given.dataset);
    given_data_expect(&given, "no-examples", 0, "contains no good examples");
}

Test(dataset, conflicting_labels_are_reported_once_with_count_and_first_place)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\"}\n"
                    "{\"message\": \"b\", \"intent\": \"track\"}\n"
                    "{\"message\": \"a\", \"intent\": \"track\"}\n"
                    "{\"message\": \"b\", \"intent\": \"cancel\"}\n"
                    "{\"message\": \"a\", \"intent\": \"refund\"}\n");
    cr_assert_not_null(given.dataset);
    given_data_expect(&given, "conflicting-labels", 4,
                      "2 examples have the same inputs");
    given_data_expect(&given, "conflicting-labels", 4, "contradicts e.jsonl:2");
}

Test(dataset, rows_of_several_files_keep_their_order)
{
    const char row[] = "{\"message\": \"a\", \"intent\": \"track\"}\n";

    given_data_open(&given, "{train: t.jsonl, val: v.jsonl, test: t.jsonl}",
                    "");
    given_data_add(&given, "t.jsonl", row, sizeof row - 1);
    given_data_add(&given, "v.jsonl", row, sizeof row - 1);
    given_data_load(&given);
    cr_assert_not_null(given.dataset);
    cr_assert_eq(dataset_size(given.dataset), 2);
    cr_expect_str_eq(dataset_place(given.dataset, 0).file, "t.jsonl");
    cr_expect_str_eq(dataset_place(given.dataset, 1).file, "v.jsonl");
}

Test(dataset, a_file_beside_the_job_can_be_loaded_alone)
{
    const char row[] = "{\"message\": \"z\", \"intent\": \"track\"}\n";

    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\"}\n");
    given_data_add(&given, "more.jsonl", row, sizeof row - 1);
    struct dataset *more =
        dataset_file(given.job, given.bundle, "more.jsonl", given.diags);
    cr_assert_not_null(more);
    cr_expect_eq(dataset_size(more), 1);
    cr_expect_str_eq(dataset_place(more, 0).file, "more.jsonl");
    dataset_free(more);
}

Test(dataset, missing_file_is_reported)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\"}\n");
    cr_expect_null(
        dataset_file(given.job, given.bundle, "none.jsonl", given.diags));
    cr_assert_not_null(given_data_find(&given, "missing-file"));
    cr_expect(strstr(given_data_find(&given, "missing-file")->text,
                     "none.jsonl") != NULL);
}

// Whatever the bytes of an input are, the worst result is a finding.
Test(dataset, truncated_or_corrupted_bytes_give_rows_or_findings)
{
    static const char good[] = "message,intent,tags\r\n"
                               "\"a \"\"b\"\"\",track,\"[\"\"x\"\"]\"\r\n"
                               "c,cancel,\r\n";
    char bytes[sizeof good];

    for (size_t len = 0; len < sizeof good; len++) {
        memcpy(bytes, good, sizeof good);
        if (len > 0)
            bytes[len - 1] = (char)(bytes[len - 1] ^ 0x22);
        load_named("e.csv", bytes, len, "");
        cr_assert((given.dataset == NULL) == (given.diags->errors > 0));
        given_data_close(&given);
    }
    load("e.csv", good);
    cr_assert_not_null(given.dataset);
}

Test(dataset, findings_name_files_relative_to_the_users_folder)
{
    given_data_open(&given, "{examples: e.jsonl}", "");
    free(given.bundle->path);
    given.bundle->path = strdup("shop/job.yaml");
    given_data_add(&given, "e.jsonl", "{", 1);
    given_data_load(&given);
    cr_expect_null(given.dataset);
    cr_expect_str_eq(given_data_find(&given, "bad-row")->place.file,
                     "shop/e.jsonl");
}

// There are more rows than are kept as objects. Each comes back unchanged, in
// whatever order they are asked for.
Test(dataset, rereading_a_row_gives_the_same_value)
{
    enum { ROWS = 3000 };
    struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; i < ROWS; i++)
        buf_printf(&text, "{\"message\": \"m%d\", \"intent\": \"track\"}\n", i);
    load("e.jsonl", text.data);
    buf_release(&text);
    cr_assert_not_null(given.dataset);
    for (size_t k = 0; k < 2 * ROWS; k++) {
        size_t i = k * 7919 % ROWS;
        struct row row;
        char name[16];

        cr_assert(dataset_row(given.dataset, i, &row));
        (void)snprintf(name, sizeof name, "m%zu", i);
        cr_expect_str_eq(json_get_text(row.fields, "message", ""), name);
        cr_expect_str_eq(json_get_text(row.inputs, "message", ""), name);
        cr_expect_eq(dataset_place(given.dataset, i).line, (int)i + 1);
        json_decref(row.fields);
        json_decref(row.inputs);
    }
}

Test(dataset, rows_with_equal_inputs_are_grouped)
{
    load("e.jsonl", "{\"message\": \"a\", \"intent\": \"track\"}\n"
                    "{\"message\": \"b\", \"intent\": \"track\"}\n"
                    "{\"message\": \"a\", \"intent\": \"refund\"}\n"
                    "{\"message\": \"b\", \"age\": null, "
                    "\"intent\": \"track\"}\n");
    cr_assert_not_null(given.dataset);
    struct keyed_row *rows = dataset_by_inputs(given.dataset);
    cr_assert_not_null(rows);
    cr_expect_eq(rows[0].inputs, rows[1].inputs);
    cr_expect_eq(rows[2].inputs, rows[3].inputs);
    cr_expect_neq(rows[1].inputs, rows[2].inputs);
    cr_expect_eq(rows[0].row + 2, rows[1].row);
    cr_expect_eq(rows[2].row + 2, rows[3].row);
    free(rows);
}
