#include <criterion/criterion.h>

#include "http/address.h"

static struct err err;

static void expect_place(const char *text, const char *printed, bool loopback)
{
    struct http_address address;
    char out[HTTP_ADDRESS_TEXT];

    cr_assert(http_address_read(text, &address, &err), "%s: %s", text,
              err.text);
    http_address_print(&address, out);
    cr_expect_str_eq(out, printed);
    cr_expect_eq(address.loopback, loopback, "%s", text);
}

Test(http_address, says_whether_only_this_machine_reaches_it)
{
    expect_place("127.0.0.1:8070", "127.0.0.1:8070", true);
    expect_place("127.1.2.3:0", "127.1.2.3:0", true);
    expect_place("[::1]:8070", "[::1]:8070", true);
    expect_place("0.0.0.0:80", "0.0.0.0:80", false);
    expect_place("192.0.2.7:80", "192.0.2.7:80", false);
    expect_place("[::]:80", "[::]:80", false);
    expect_place("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", false);
}

Test(http_address, refuses_anything_but_host_and_port)
{
    static const char *const bad[] = {
        "",           "8070", ":8070",        "::1:80", "127.0.0.1",
        "127.0.0.1:", "a:b",  "127.0.0.1:-1", "[::1]",  "127.0.0.1:65536",
        "1.2.3.4:80/"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_address address;

        err = ERR_CLEAR;
        cr_expect_not(http_address_read(bad[i], &address, &err), "%s", bad[i]);
        cr_expect_eq(err.code, ERR_INPUT, "%s", bad[i]);
    }
}
