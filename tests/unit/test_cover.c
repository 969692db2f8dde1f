// What a demo set shows: tests classes, lexicon, cover and wording together.

#include "search/toolkit/cover.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "fake_session.h"
#include "search/toolkit/wording.h"

static const char yaml[] =
    "inputs: {text: {desc: A text}}\n"
    "steps:\n"
    "  sort:\n"
    "    predict: Sort it.\n"
    "    inputs: [text]\n"
    "    outputs:\n"
    "      kind: {enum: [bill, parcel, other]}\n"
    "      tone: {desc: calm or angry}\n"
    "      note: {desc: One sentence}\n"
    "outputs: {kind: sort.kind, tone: sort.tone, note: sort.note}\n";

// Two bills that are alike and one that is not. `tone` repeats, `note` does
// not.
static const char rows_text[] =
    "[{\"text\": \"my invoice has a wrong sum\", \"kind\": \"bill\","
    "  \"tone\": \"calm\", \"note\": \"n0\"},"
    " {\"text\": \"my invoice has a wrong total\", \"kind\": \"bill\","
    "  \"tone\": \"calm\", \"note\": \"n1\"},"
    " {\"text\": \"charged twice last month\", \"kind\": \"bill\","
    "  \"tone\": \"angry\", \"note\": \"n2\"},"
    " {\"text\": \"the parcel is lost\", \"kind\": \"parcel\","
    "  \"tone\": \"angry\", \"note\": \"n3\"},"
    " {\"text\": \"the parcel came damaged\", \"kind\": \"parcel\","
    "  \"tone\": \"calm\", \"note\": \"n4\"},"
    " {\"text\": \"hello there\", \"kind\": \"other\","
    "  \"tone\": \"calm\", \"note\": \"n5\"}]";

enum { ROWS = 6 };
static const size_t rows[ROWS] = {0, 1, 2, 3, 4, 5};
static struct err err;
static struct session *fake;
static struct classes classes;
static struct lexicon *lexicon;

static json_t *answer_nothing(void *user, const struct fake_ask *ask)
{
    (void)user;
    (void)ask;
    return NULL;
}

static double score_nothing(void *user, const json_t *example,
                            const json_t *outputs)
{
    (void)user;
    (void)example;
    (void)outputs;
    return 0;
}

static void begin(void)
{
    const struct fake_script script = {answer_nothing, score_nothing, NULL};

    fake = fake_new(yaml, rows_text, 0, NULL, script, FINISH_LATE);
    cr_assert(classes_read(session_job(fake)->program, session_dataset(fake), 0,
                           (struct row_span){rows, ROWS}, &classes, &err));
    lexicon =
        lexicon_new(session_dataset(fake), (struct row_span){rows, ROWS}, &err);
    cr_assert_not_null(lexicon);
}

static void end(void)
{
    lexicon_free(lexicon);
    classes_release(&classes);
    fake_free(fake);
}

TestSuite(cover, .init = begin, .fini = end);

Test(cover, classes_are_enums_and_repeated_texts)
{
    cr_assert_eq(classes.n_fields, 2);
    cr_expect_str_eq(classes.fields[0].name, "kind");
    cr_expect_str_eq(classes.fields[1].name, "tone");
    cr_expect_eq(classes.fields[1].n, 2);
    cr_expect_eq(classes_count(&classes), 5);
    cr_expect_eq(classes_find(&classes.fields[0], "parcel"),
                 classes.fields[0].of_row[3]);
    cr_expect_eq(classes_find(&classes.fields[0], "unheard of"), -1);
}

Test(cover, rows_are_similar_if_they_share_words)
{
    cr_expect_float_eq(lexicon_alike(lexicon, 0, 0), 1, 1e-12);
    cr_expect_gt(lexicon_alike(lexicon, 0, 1), lexicon_alike(lexicon, 0, 3));
    cr_expect_eq(lexicon_alike(lexicon, 0, 5), 0);
}

static size_t pick(const bool *usable, const double *liking, size_t most,
                   size_t *out)
{
    static const bool all[ROWS] = {true, true, true, true, true, true};
    const struct cover_recipe recipe = {.usable = usable != NULL ? usable : all,
                                        .liking = liking,
                                        .variety = 0.6,
                                        .chance = 0.1,
                                        .most = most};
    struct rng rng = session_rng(fake, "cover", 0);
    size_t n = 0;

    cr_assert(cover_pick(&classes, lexicon, &recipe, &rng, out, &n, &err));
    return n;
}

static bool shows(const size_t *places, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++)
        if (classes.fields[0].of_row[places[i]] == kind)
            return true;
    return false;
}

Test(cover, every_label_is_shown_before_any_repeats)
{
    size_t places[ROWS];

    cr_assert_eq(pick(NULL, NULL, 3, places), 3);
    for (int kind = 0; kind < 3; kind++)
        cr_expect(shows(places, 3, kind), "kind %d", kind);
}

Test(cover, all_rows_are_taken_once_and_no_more)
{
    size_t places[ROWS + 3];
    bool seen[ROWS] = {false};

    cr_assert_eq(pick(NULL, NULL, ROWS + 3, places), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        cr_expect_not(seen[places[i]]);
        seen[places[i]] = true;
    }
}

Test(cover, a_row_that_cannot_be_a_demo_is_left_out)
{
    static const bool usable[ROWS] = {true, true, true, true, true, false};
    size_t places[ROWS];

    cr_assert_eq(pick(usable, NULL, ROWS, places), ROWS - 1);
    cr_expect_not(shows(places, ROWS - 1, classes.fields[0].of_row[5]));
}

Test(cover, preferred_row_of_a_label_goes_first)
{
    static const double liking[ROWS] = {0, 0, 0, 0, 1, 0};
    size_t places[ROWS];

    pick(NULL, liking, ROWS, places);
    for (size_t i = 0; i < ROWS && places[i] != 4; i++)
        cr_expect_neq(places[i], 3, "the other parcel");
}

// --- the texts about them

static struct wording wording_of_job(void)
{
    return (struct wording){
        .step = program_predictor(session_job(fake)->program, 0),
        .dataset = session_dataset(fake),
        .rows = rows,
        .classes = &classes,
        .lexicon = lexicon};
}

Test(cover, a_label_is_defined_by_the_words_of_its_rows)
{
    struct wording wording = wording_of_job();
    struct buf text = BUF_INIT(4000);

    cr_assert(wording_defined(&wording, 2000, &text));
    cr_expect_not_null(strstr(text.data, "\n- parcel: "), "%s", text.data);
    cr_expect_not_null(strstr(text.data, "invoice"), "%s", text.data);
    cr_expect_null(strstr(text.data, "- note"), "a text has no definitions");
    buf_release(&text);
}

Test(cover, two_labels_are_contrasted_by_the_words_only_one_has)
{
    struct wording wording = wording_of_job();
    const struct confusion pair = {0, classes.fields[0].of_row[3],
                                   classes.fields[0].of_row[0], 2};
    struct buf text = BUF_INIT(4000);

    cr_assert(wording_contrasted(&wording, &pair, 1, &text));
    cr_expect_not_null(strstr(text.data, "\n- parcel and not bill: parcel"),
                       "%s", text.data);
    cr_expect_not_null(strstr(text.data, "\n- bill and not parcel: "), "%s",
                       text.data);
    cr_expect_not(wording_contrasted(&wording, &pair, 0, &text));
    buf_release(&text);
}

Test(cover, terse_instruction_names_inputs_and_outputs)
{
    struct wording wording = wording_of_job();
    struct buf text = BUF_INIT(4000);

    wording_terse(&wording, &text);
    cr_expect_str_eq(text.data, "From `text` give `kind`, `tone` and `note`.");
    buf_release(&text);
}

Test(cover, definitions_are_omitted_when_there_is_no_room)
{
    struct wording wording = wording_of_job();
    struct buf text = BUF_INIT(4000);

    cr_expect_not(wording_defined(&wording, 20, &text));
    cr_expect_eq(text.len, 0);
    buf_release(&text);
}
