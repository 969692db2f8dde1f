#include <criterion/criterion.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/options.h"
#include "common/text.h"
#include "coordinator/coordinator.h"

static const struct command_entry command = {
    .name = "run",
    .usage = "JOB",
    .summary = "",
    .example = "promptcc run job.yaml",
    .options = OPTIONS_JOB | OPTIONS_SERVERS | OPTIONS_PRINT |
               OPTION_BIT(OPT_STORE) | OPTION_BIT(OPT_WAIT) |
               OPTION_BIT(OPT_FAIL_BELOW) | OPTION_BIT(OPT_CALL_TIMEOUT) |
               OPTION_BIT(OPT_LISTEN) | OPTION_BIT(OPT_SLOTS) |
               OPTION_BIT(OPT_AWAIT) | OPTION_BIT(OPT_YIELD) |
               OPTION_BIT(OPT_DISCOVER) | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_VERTICAL) | OPTION_BIT(OPT_COORDINATOR) |
               OPTION_BIT(OPT_HTTP) | OPTION_BIT(OPT_HTTP_TOKEN) |
               OPTION_BIT(OPT_SBATCH) | OPTION_BIT(OPT_LIMIT),
    .min_operands = 1,
    .max_operands = 1,
};

static struct options options;
static struct err err;

// The environment of a test: names and values, NULL-terminated.
static const char *const *environment;

static char *look_up(const char *name)
{
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i += 2)
        if (strcmp(environment[i], name) == 0)
            return (char *)environment[i + 1];
    return NULL;
}

static void forget(void)
{
    environment = NULL;
    err = ERR_CLEAR;
}

static void release(void)
{
    options_release(&options);
}

#define READ(...)                                                              \
    options_read(&options, &command,                                           \
                 (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)),        \
                 (char *[]){__VA_ARGS__}, look_up, &err)

TestSuite(options, .init = forget, .fini = release);

Test(options, values_are_the_next_word_or_follow_an_equals_sign)
{
    cr_assert(READ("--store", "a.db", "job.yaml", "--seed=7"), "%s", err.text);

    cr_expect_str_eq(option_text(&options, OPT_STORE), "a.db");
    cr_expect_eq(option_number(&options, OPT_SEED, 0), 7);
    cr_expect_str_eq(options.operands[0], "job.yaml");
}

Test(options, missing_option_has_its_default)
{
    cr_assert(READ("job.yaml"), "%s", err.text);

    cr_expect_null(option_text(&options, OPT_STORE));
    cr_expect_eq(option_number(&options, OPT_WAIT, 20000), 20000);
    cr_expect_not(option_on(&options, OPT_JSON));
}

Test(options, a_repeatable_option_keeps_all_its_values_in_order)
{
    const char *const *urls;

    cr_assert(READ("job.yaml", "--ollama", "http://a", "--ollama", "http://b"),
              "%s", err.text);

    cr_assert_eq(option_list(&options, OPT_OLLAMA, &urls), 2);
    cr_expect_str_eq(urls[0], "http://a");
    cr_expect_str_eq(urls[1], "http://b");
}

Test(options, two_different_values_of_a_single_value_option_are_refused)
{
    cr_expect_not(READ("job.yaml", "--seed", "1", "--seed", "2"));
    cr_expect_str_eq(err.text, "--seed is given twice with different values, "
                               "and only one can count: leave one out");
}

Test(options, repeating_the_same_value_is_accepted)
{
    cr_assert(READ("job.yaml", "--seed", "1", "--json", "--seed=1", "--json"),
              "%s", err.text);
    cr_expect_eq(option_number(&options, OPT_SEED, 0), 1);
}

Test(options, a_flag_with_a_value_is_refused)
{
    static char *const wrong[] = {"--json=yes", "--json=1", "--quiet=0",
                                  "--simulate="};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = ERR_CLEAR;
        cr_expect_not(READ("job.yaml", wrong[i]), "%s", wrong[i]);
        cr_expect(strstr(err.text, "takes no value: write it alone") != NULL,
                  "%s", err.text);
        options_release(&options);
    }
}

Test(options, a_value_of_one_is_a_value)
{
    cr_assert(READ("job.yaml", "--yield=1", "--discover=1"), "%s", err.text);
    cr_expect_eq(option_number(&options, OPT_YIELD, 0), 1);
    cr_expect_str_eq(option_text(&options, OPT_DISCOVER), "1");
}

Test(options, omitted_optional_value_is_unset)
{
    cr_assert(READ("job.yaml", "--yield", "--discover"), "%s", err.text);
    cr_expect(option_on(&options, OPT_YIELD));
    cr_expect_eq(option_number(&options, OPT_YIELD, 7), 0);
    cr_expect_str_eq(option_text(&options, OPT_DISCOVER), "");
}

Test(options, invalid_word_for_an_optional_value_is_refused)
{
    static char *const wrong[] = {"--yield=no", "--discover=off", "--yield=0",
                                  "--yield="};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = ERR_CLEAR;
        cr_expect_not(READ("job.yaml", wrong[i]), "%s", wrong[i]);
        options_release(&options);
    }
}

Test(options, optional_value_after_a_blank_gets_a_hint_to_use_equals)
{
    cr_expect_not(READ("job.yaml", "--yield", "4"));
    cr_expect_str_eq(err.text, "--yield takes its value after an equals sign: "
                               "--yield=4");
}

Test(options, option_in_place_of_a_value_is_not_taken_as_the_value)
{
    cr_expect_not(READ("job.yaml", "--store", "--simulate"));
    cr_expect(strstr(err.text, "but the option --simulate follows") != NULL,
              "%s", err.text);
    options_release(&options);
    err = ERR_CLEAR;
    cr_assert(READ("job.yaml", "--store=--simulate", "--sbatch", "--quiet"),
              "%s", err.text);
    cr_expect_str_eq(option_text(&options, OPT_STORE), "--simulate");
}

Test(options, contradicting_options_are_refused)
{
    static char *const wrong[][2] = {
        {"--csv", "--json"},
        {"--vertical", "--csv"},
        {"--vertical", "--json"},
        {"--store=a.db", "--coordinator=tcp://127.0.0.1:1"},
        {"--simulate", "--ollama=http://a"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = ERR_CLEAR;
        cr_expect_not(READ("job.yaml", wrong[i][0], wrong[i][1]), "%s %s",
                      wrong[i][0], wrong[i][1]);
        cr_expect(strstr(err.text, "contradict each other") != NULL, "%s",
                  err.text);
        options_release(&options);
    }
}

Test(options, environment_yields_to_contradicting_options)
{
    environment = (const char *const[]){"PROMPTCC_COORDINATOR",
                                        "tcp://127.0.0.1:1",
                                        "PROMPTCC_JSON",
                                        "1",
                                        "PROMPTCC_OLLAMA",
                                        "http://a",
                                        NULL};
    cr_assert(READ("job.yaml", "--store", "a.db", "--csv", "--simulate"), "%s",
              err.text);
    cr_expect_not(option_on(&options, OPT_COORDINATOR));
    cr_expect_not(option_on(&options, OPT_JSON));
    cr_expect_not(option_on(&options, OPT_OLLAMA));
}

Test(options, option_without_effect_is_refused)
{
    cr_expect_not(READ("job.yaml", "--http-token", "t"));
    cr_expect_str_eq(err.text, "--http-token has no effect without --http: "
                               "without it there are no pages");
    options_release(&options);
    err = ERR_CLEAR;
    environment = (const char *const[]){"PROMPTCC_HTTP", "127.0.0.1:0", NULL};
    cr_expect(READ("job.yaml", "--http-token", "t"), "%s", err.text);
}

Test(options, times_counts_and_shares_are_read)
{
    cr_assert(READ("job.yaml", "--wait", "2m", "--max-calls", "20K",
                   "--fail-below", "80%"),
              "%s", err.text);

    cr_expect_eq(option_number(&options, OPT_WAIT, 0), 120000);
    cr_expect_eq(option_number(&options, OPT_MAX_CALLS, 0), 20000);
    cr_expect_float_eq(options.values[OPT_FAIL_BELOW].score, 0.8, 1e-12);
}

Test(options, a_value_of_the_wrong_kind_is_refused_with_what_it_takes)
{
    cr_expect_not(READ("job.yaml", "--wait", "soon"));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_str_eq(err.text, "--wait cannot be `soon`: it takes a time such "
                               "as 90s, 60m or 2h");
}

Test(options, a_number_out_of_range_is_refused_with_the_range)
{
    static char *const wrong[] = {
        "--call-timeout=0s",  "--call-timeout=169h", "--wait=0",
        "--max-time=0s",      "--slots=0",           "--slots=1025",
        "--call-timeout=-1s", "--call-timeout=0.5s", "--max-calls=0",
        "--limit=0",          "--max-tokens=0",      "--max-prompt-tokens=0",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = ERR_CLEAR;
        cr_expect_not(READ("job.yaml", wrong[i]), "%s", wrong[i]);
        cr_expect_eq(err.code, ERR_INPUT);
        options_release(&options);
    }
    cr_expect(READ("job.yaml", "--call-timeout=168h", "--slots=1024"), "%s",
              err.text);
}

Test(options, endpoint_needs_a_valid_port)
{
    static char *const wrong[] = {
        "--listen=tcp://127.0.0.1:99999", "--listen=tcp://127.0.0.1:",
        "--listen=tcp://:5570",           "--listen=127.0.0.1:5570",
        "--listen=tcp://127.0.0.1:-1",    "--listen=tcp://127.0.0.1:65536",
        "--listen=tcp://127.0.0.1",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = ERR_CLEAR;
        cr_expect_not(READ("job.yaml", wrong[i]), "%s", wrong[i]);
        cr_expect_eq(err.code, ERR_INPUT);
        options_release(&options);
    }
    cr_expect(READ("job.yaml", "--listen=tcp://[::1]:65535"), "%s", err.text);
}

Test(options, a_share_over_one_is_refused)
{
    cr_expect_not(READ("job.yaml", "--fail-below", "80"));
    cr_expect_eq(err.code, ERR_INPUT);
}

Test(options, a_misspelt_word_gets_the_nearest_right_one)
{
    cr_expect_not(READ("job.yaml", "--optimizer", "mipro"));
    cr_expect_str_eq(err.text,
                     "--optimizer cannot be `mipro`, did you mean `miprov2`?");
    options_release(&options);
    err = ERR_CLEAR;
    cr_expect_not(READ("job.yaml", "--optimizer", "best"));
    cr_expect(strstr(err.text, "it takes screen_and_race, miprov2, ") != NULL &&
                  strstr(err.text, " or simba") != NULL,
              "%s", err.text);
}

Test(options, a_misspelt_option_gets_the_nearest_right_name)
{
    cr_expect_not(READ("job.yaml", "--simulat"));
    cr_expect_str_eq(err.text,
                     "unknown option --simulat, did you mean --simulate?");
}

Test(options, an_option_of_another_command_is_refused_as_such)
{
    cr_expect_not(READ("job.yaml", "--template", "x"));
    cr_expect(strstr(err.text, "`promptcc run` has no option --template") !=
                  NULL,
              "%s", err.text);
}

Test(options, missing_value_is_reported)
{
    cr_expect_not(READ("job.yaml", "--store"));
    cr_expect_str_eq(err.text, "--store needs FILE (a text)");
}

Test(options, environment_supplies_an_option)
{
    environment = (const char *const[]){"PROMPTCC_STORE",
                                        "env.db",
                                        "PROMPTCC_MAX_CALLS",
                                        "5",
                                        "PROMPTCC_JSON",
                                        "1",
                                        NULL};
    cr_assert(READ("job.yaml"), "%s", err.text);

    cr_expect_str_eq(option_text(&options, OPT_STORE), "env.db");
    cr_expect_eq(option_number(&options, OPT_MAX_CALLS, 0), 5);
    cr_expect(option_on(&options, OPT_JSON));
}

Test(options, the_command_line_wins_over_the_environment)
{
    environment = (const char *const[]){"PROMPTCC_STORE", "env.db",
                                        "PROMPTCC_OLLAMA", "http://env", NULL};
    cr_assert(READ("job.yaml", "--store", "a.db"), "%s", err.text);

    cr_expect_str_eq(option_text(&options, OPT_STORE), "a.db");
    cr_expect_str_eq(option_text(&options, OPT_OLLAMA), "http://env");
}

Test(options, a_list_in_the_environment_is_separated_by_blanks)
{
    const char *const *urls;

    environment =
        (const char *const[]){"PROMPTCC_OLLAMA", "http://a  http://b", NULL};
    cr_assert(READ("job.yaml"), "%s", err.text);
    cr_expect_eq(option_list(&options, OPT_OLLAMA, &urls), 2);
}

Test(options, a_bad_value_in_the_environment_names_the_variable)
{
    environment = (const char *const[]){"PROMPTCC_SEED", "x", NULL};
    cr_expect_not(READ("job.yaml"));
    cr_expect_str_eq(err.text,
                     "PROMPTCC_SEED cannot be `x`: it takes a whole number");
}

Test(options, a_flag_can_be_switched_off_in_the_environment)
{
    environment = (const char *const[]){"PROMPTCC_SIMULATE", "0", NULL};
    cr_assert(READ("job.yaml"), "%s", err.text);
    cr_expect_not(option_on(&options, OPT_SIMULATE));
}

Test(options, words_after_two_dashes_are_operands)
{
    cr_assert(READ("--", "--store"), "%s", err.text);
    cr_expect_str_eq(options.operands[0], "--store");
}

Test(options, too_many_operands_are_refused_by_name)
{
    cr_expect_not(READ("job.yaml", "other"));
    cr_expect(strstr(err.text, "`other`") != NULL, "%s", err.text);
}

Test(options, json_is_recognized_even_if_another_option_is_wrong)
{
    cr_expect_not(READ("job.yaml", "--nonsense", "--json"));
    cr_expect(option_on(&options, OPT_JSON));
}

Test(options, every_option_in_the_table_has_a_distinct_variable)
{
    for (int a = 0; a < OPTION_COUNT; a++)
        for (int b = a + 1; b < OPTION_COUNT; b++) {
            char first[64], second[64];

            option_env((enum option_id)a, first, sizeof first);
            option_env((enum option_id)b, second, sizeof second);
            cr_expect_str_neq(first, second);
        }
}

Test(options, no_line_of_the_help_is_wider_than_a_terminal)
{
    struct buf help = BUF_INIT(1 << 16);
    size_t column = 0, widest = 0;

    options_help(79, &(struct command_entry){.options = UINT64_MAX}, &help);
    for (size_t i = 0; i < help.len; i++) {
        column = help.data[i] == '\n' ? 0 : column + 1;
        widest = column > widest ? column : widest;
    }
    cr_expect_leq(widest, 79);
    buf_release(&help);
}

Test(options, default_in_the_help_is_the_actual_default)
{
    struct coordinator_options defaults = COORDINATOR_DEFAULTS;
    int64_t start = 0, later = 0;

    cr_assert(READ("job.yaml"), "%s", err.text);
    cr_expect_eq(option_number(&options, OPT_CALL_TIMEOUT, 0),
                 defaults.call_timeout_ms);
    // The help of --wait names its two defaults: 20s and 5m.
    cr_expect(text_duration_ms("20s", &start) &&
              start == defaults.wait_start_ms);
    cr_expect(text_duration_ms("5m", &later) &&
              later == defaults.wait_after_ms);
}
