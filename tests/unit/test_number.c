#include "program/graph/number.h"

#include <string.h>

#include <criterion/criterion.h>

struct row {
    const char *text;
    double value;
};

#define MINUS "\xE2\x88\x92"

// Texts that a person reads without doubt.
Test(number, is_found_with_its_sign_and_scale)
{
    static const struct row rows[] = {
        {"5", 5},
        {"-5.25", -5.25},
        {"+5", 5},
        {"- 5", -5},
        {MINUS "5.25", -5.25},
        {MINUS " 5", -5},
        {"-$5.25", -5.25},
        {"$-5.25", -5.25},
        {MINUS "$5.25", -5.25},
        {"-\xE2\x82\xAC"
         "5.25",
         -5.25},
        {"\xE2\x82\xAC 12", 12},
        {"12 \xE2\x82\xAC", 12},
        {"$1,250.50", 1250.5},
        {"US$5", 5},
        {"about 3 items", 3},
        {"it is -3.", -3},
        {"The answer is -3.", -3},
        {"minus 4", -4},
        {"negative 4.5 degrees", -4.5},
        {"minus \xE2\x82\xAC"
         "4",
         -4},
        {"it is minus 4", -4},
        // A no-break hyphen, which some models write.
        {"\xE2\x80\x91"
         "5",
         -5},
        {"\xE2\x80\x90"
         "5",
         -5},
        {"| -7 | points |", -7},
        {"**42**", 42},
        {"$42$", 42},
        {"\\boxed{42}", 42},
        {"\\boxed{-42}", -42},
        {"#### 3", 3},
        {"x = -2", -2},
        {"x=-2", -2},
        {"(-5)", -5},
        {".5", 0.5},
        {"-.5", -0.5},
        {"5e3", 5000},
        {"about 5e3", 5000},
        {"1.5e-3", 0.0015},
        {"1,000,000", 1000000},
        {"1'234'567.50", 1234567.5},
        {"CHF 1\xE2\x80\x99"
         "000.-",
         1000},
        {"1\xC2\xA0"
         "000\xC2\xA0"
         "000",
         1000000},
        {"1\xE2\x80\xAF"
         "000",
         1000},
        {"\xEF\xBC\x91\xEF\xBC\x92", 12}, // full-width 12
        {"\xEF\xBC\x8D\xEF\xBC\x95", -5}, // full-width -5
        {"\xE7\xBA\xA6"
         "3\xE4\xB8\xAA",
         3}, // about 3, in Chinese
        {"\xC2\xA0"
         "7\xE2\x80\x8B",
         7}, // with invisible spaces
        {"5 kg", 5},
        {"5kg", 5},
        {"the 5th", 5},
        {"[7]", 7},
        {"'7'", 7},
        {"12 (twelve)", 12},
        {"~5", 5},
        {"20\xC2\xB0", 20},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct number number = {0};
        cr_expect(number_find(rows[i].text, strlen(rows[i].text), &number),
                  "%s", rows[i].text);
        cr_expect_float_eq(number.value, rows[i].value, 1e-12, "%s is %g",
                           rows[i].text, number.value);
        cr_expect_not(number.percent);
    }
}

// A number without its sign or scale is worse than none.
Test(number, ambiguous_text_gives_no_number)
{
    static const char *const texts[] = {
        "",
        "none",
        "2.5k",
        // dashes that are not clearly a minus
        "\xE2\x80\x94 5",
        "\xE2\x80\x93 5",
        "\xE2\x81\xBB"
        "5",
        "\xE2\x9E\x96"
        "5",
        "\xE3\x83\xBC"
        "5",
        // less, more, or not the value at all
        "\xE2\xA9\xBE 5",
        "\xC2\xAC"
        "5",
        "5 +",
        "|-5|",
        "ten minus 5",
        "x minus 5",
        "anything but 5",
        "It can't be 5",
        "nicht 5",
        "\xE4\xB8\x8D\xE6\x98\xAF"
        "5",
        "exceeds 5",
        "shy of 5",
        "5 and counting",
        "upwards of 5",
        "~~5~~",
        "[ ] 5",
        "- [ ] 5",
        "overdrawn by 5",
        "lost 5",
        "5 lower",
        // on another scale
        "5 (in millions)",
        "thousands of items: 5",
        "5 milliards",
        "0xFF",
        "\xD9\xAB"
        "5",
        "5 tenths",
        "5 hundredths",
        "5 basis points",
        "5\xCF\x80",
        "ln 5",
        "5 am",
        "2.5 K",
        "3M",
        "5 m",
        "1.5 million",
        "2 billion",
        "3 dozen",
        "2 Mrd",
        "3\xE4\xB8\x87", // 3 times 10,000 in Chinese
        "1.234,50",
        "5,25",
        "0,125",
        "1234,567",
        "1,23,456",
        "1,000,00",
        "1.234.567",
        "1 000",
        "(5.25)",
        "($5.25)",
        "5.25-",
        "--5",
        "3 or 4",
        "3-4",
        "3\xE2\x80\x93"
        "4", // with a dash
        "\xE2\x80\x93"
        "5",
        "-5 to -3",
        "5/10",
        "1/2",
        "5\xC2\xBD", // five and a half
        "5\xC2\xB2", // squared
        "10^3",
        "2 x 3",
        "less than 5",
        "at least 5",
        "Up to 5",
        "max 5",
        "more than 5",
        "<5",
        "> 5",
        "\xE2\x89\xA5"
        "5", // at least 5
        "\xC2\xB1"
        "5", // 5, more or less
        "not 5",
        "5 or more",
        "5+",
        "5?",
        "total - 5",
        "B12",
        "GPT4",
        "Covid-19",
        "v.5",
        "v1.5.2",
        "0x1F",
        "12:30",
        "2024-01-05",
        "1_000",
        "$\\frac12$",
        "5 per mille",
        "5\xE2\x80\xB0", // per mille
        "\xD9\xA3",      // an Arabic 3
        "3\xD9\xA3",
        "!= 3",
        ">= 3",
        "<= 3",
        "3 >",
        "\xE2\x89\xA0 3", // not 3
        "\xE2\x88\x9A"
        "9",              // the root of 9
        "\xE2\x9D\x8C 5", // crossed out
        "5 \xE2\x9D\x8C",
        "%90",
        "5 \xE2\x88\x92",
        "isn't 5",
        "cannot be 5",
        "wrong: 5",
        "half of 3",
        "3 and a half",
        "twice 3",
        "sqrt 9",
        "plus 5",
        "a loss of 5",
        "down 5",
        "decreased by 5",
        "5.000 kg",
        "12.000 \xE2\x82\xAC",
        "2.5 Tsd.",
        "5 millones",
        "5 mill\xC3\xB3n",
        "5 cr",
        "5 grand",
        "5 permil",
        "5 ppm",
        "50 cents",
        "50\xC2\xA2", // cents
        "5.00 DR",
        "5 pm",
        "5 p.m.",
        "the 1990s",
        "January 5",
        "5 Oct.",
        "on the 5 of March",
        "almost 5",
        "the 1990's",
        "'90",
        "1'00",
        "44 BC",
        "5\xEB\xA7\x8C",                          // times 10,000 in Korean
        "5 \xD1\x82\xD1\x8B\xD1\x81.",            // thousand in Russian
        "5 \xD0\xBC\xD0\xBB\xD0\xBD",             // million
        "5 \xE0\xA4\xB2\xE0\xA4\xBE\xE0\xA4\x96", // lakh in Hindi
        "1e999",
        "nan",
        "inf",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct number number = {0};
        cr_expect_not(number_find(texts[i], strlen(texts[i]), &number),
                      "%s is %g", texts[i], number.value);
    }
}

Test(number, may_be_a_percentage)
{
    static const char *const texts[] = {
        "90%",
        "90 %",
        "90 percent",
        "90 per cent",
        "90 pct",
        "about 90%.",
        "90\xEF\xBC\x85",
        "90\\%",
        "$90\\%$",
        "90 Prozent",
        "90 pour cent",
        "90 por ciento",
        "90 percentage points",
        "90\xEF\xB9\xAA",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct number number = {0};
        cr_expect(number_find(texts[i], strlen(texts[i]), &number), "%s",
                  texts[i]);
        cr_expect(number.percent, "%s", texts[i]);
        cr_expect_eq(number.value, 90);
        cr_expect_eq(number.share, 0.9);
    }
}

Test(number, is_rounded_once_as_a_share)
{
    static const struct row rows[] = {
        {"99.9%", 0.999}, {"0.9%", 0.009}, {"-5 %", -0.05}, {"1e1 %", 0.1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct number number = {0};
        cr_expect(number_find(rows[i].text, strlen(rows[i].text), &number));
        cr_expect_eq(number.share, rows[i].value, "%s", rows[i].text);
    }
}

Test(number, is_read_when_it_is_the_whole_text)
{
    static const struct row rows[] = {
        {" 1,250.5\n", 1250.5}, {"-3", -3},      {"+4", 4},
        {"2e3", 2000},          {MINUS "7", -7}, {"$5", 5},
        {"-$5.25", -5.25},      {"5.", 5},       {"12 \xE2\x82\xAC", 12},
    };
    static const char *const others[] = {
        "",       "about 3", "5 kg", "90%",   "1234,567", "0,125", "#### 3",
        "3 or 4", "inf",     "0x10", "1 000", "2.5k",     "x",
    };
    double value = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect(number_read(rows[i].text, strlen(rows[i].text), &value), "%s",
                  rows[i].text);
        cr_expect_float_eq(value, rows[i].value, 1e-12, "%s is %g",
                           rows[i].text, value);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_not(number_read(others[i], strlen(others[i]), &value),
                      "%s is %g", others[i], value);
}
