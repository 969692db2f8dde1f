#include "common/words.h"

#include <string.h>

#include <criterion/criterion.h>

// Checks the words, or the terms, of a text; a bar separates them.
static void expect(const char *text, bool terms, bool decimals,
                   const char *wanted)
{
    struct words words = {
        .text = text, .len = strlen(text), .decimals = decimals};
    struct buf out = BUF_INIT(1 << 16);
    struct word word;

    while (terms ? words_next_term(&words, &word) : words_next(&words, &word)) {
        if (out.len > 0)
            buf_putc(&out, '|');
        buf_append(&out, word.text, word.len);
    }
    cr_expect_str_eq(out.data == NULL ? "" : out.data, wanted, "%s", text);
    buf_release(&out);
}

Test(words, are_runs_of_letters_and_digits)
{
    expect("", false, false, "");
    expect(" ,;- ", false, false, "");
    expect("I want my money-back, now!", false, false,
           "I|want|my|money|back|now");
    expect("Größe – “naïve” n’est élan", false, false,
           "Größe|naïve|n|est|élan");
    expect("Возврат денег; الإرجاع؟ Ế ấn", false, false,
           "Возврат|денег|الإرجاع|Ế|ấn");
    expect("cafe\u0301 x", false, false, "cafe\u0301|x");
    expect("हिन्दी में", false, false, "हिन्दी|में");
    expect("a\xff\xfe"
           "b",
           false, false, "a|b");
    expect("1.5 to 2.", false, false, "1|5|to|2");
    expect("1.5 to 2.", false, true, "1.5|to|2");
}

Test(words, each_character_of_a_script_without_blanks_is_one_word)
{
    expect("退款 abc需要。", false, false, "退|款|abc|需|要");
    expect("返品する", false, false, "返|品|す|る");
    expect("환불을", false, false, "환|불|을");
    expect("คืน", false, false, "คื|น");
    expect("ok😀👍", false, false, "ok|😀|👍");
}

Test(words, terms_are_pairs_of_characters_in_scripts_without_blanks)
{
    expect("我想退款", true, false, "我想|想退|退款");
    expect("退", true, false, "退");
    expect("退 款", true, false, "退|款");
    expect("the 退款 is a猫", true, false, "the|退款|is|a|猫");
    expect("退款。需要", true, false, "退款|需要");
    expect("คืน", true, false, "คืน");
}

Test(words, words_spread_separates_words_by_blanks)
{
    struct buf out = BUF_INIT(1 << 10);
    const char *text = "Die “Größe”: 退款x";

    words_put_spaced(text, strlen(text), &out);
    cr_expect_str_eq(out.data, "Die Größe 退 款 x");
    buf_release(&out);
}

Test(words, a_sentence_ends_at_its_mark)
{
    cr_expect_eq(words_sentence_end(". So", 4), 1);
    cr_expect_eq(words_sentence_end("?", 1), 1);
    cr_expect_eq(words_sentence_end(".5", 2), 0);
    cr_expect_eq(words_sentence_end("。退", 6), 3);
    cr_expect_eq(words_sentence_end("！", 3), 3);
    cr_expect_eq(words_sentence_end("。", 2), 0);
    cr_expect_eq(words_sentence_end("，", 3), 0);
    cr_expect_eq(words_sentence_end("", 0), 0);
}
