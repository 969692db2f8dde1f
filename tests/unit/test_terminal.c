#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

// Returns what a file that is not a terminal gets of a text.
static char *written(const char *text)
{
    char *data = NULL;
    size_t len = 0;
    FILE *file = tmpfile();

    cr_assert_not_null(file);
    cr_assert(terminal_write(file, text, strlen(text)));
    len = (size_t)ftell(file);
    data = calloc(1, len + 1);
    rewind(file);
    cr_assert_eq(fread(data, 1, len, file), len);
    fclose(file);
    return data;
}

Test(terminal, no_terminal_controls_are_written_to_a_file)
{
    char *text = written("\x1b[1mbold\x1b[0m \x1b[2J\xc2\x9b\n");

    cr_expect_str_eq(text, "\\x1b[1mbold\\x1b[0m \\x1b[2J\\u009b\n");
    free(text);
}

Test(terminal, style_is_empty_without_colors)
{
    struct terminal dull = {.color = false};
    struct terminal bright = {.color = true};

    cr_expect_str_eq(terminal_style(&dull, STYLE_WARN), "");
    cr_expect_str_eq(terminal_style(&bright, STYLE_WARN), "\x1b[33m");
}
