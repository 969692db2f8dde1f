#include <criterion/criterion.h>

#include <string.h>

#include "model/model.h"
#include "model/reach.h"

struct good {
    const char *text;
    const char *url;
    int slots;
};

Test(model_address, addresses_are_read_as_people_write_them)
{
    static const struct good good[] = {
        {"http://localhost:11434", "http://localhost:11434", 1},
        {"http://localhost:11434/", "http://localhost:11434", 1},
        {"http://10.0.0.7:11434,slots=4", "http://10.0.0.7:11434", 4},
        {"https://models.example/ollama//,slots=1024",
         "https://models.example/ollama", 1024},
        {"http://[::1]:8080/v1", "http://[::1]:8080", 1},
        {"http://[::1]:8080/v1/", "http://[::1]:8080", 1},
        {"http://gpu1", "http://gpu1", 1},
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct model_address got;
        struct err err = ERR_CLEAR;
        cr_assert(model_address_parse("ollama", good[i].text, &got, &err), "%s",
                  err.text);
        cr_expect_str_eq(got.backend, "ollama");
        cr_expect_str_eq(got.url, good[i].url);
        cr_expect_eq(got.slots, good[i].slots);
    }
}

static bool same(const char *one, const char *other)
{
    struct model_address a, b;

    return model_address_parse("ollama", one, &a, NULL) &&
           model_address_parse("openai", other, &b, NULL) &&
           model_address_same(&a, &b);
}

Test(model_address, one_server_may_be_written_in_several_ways)
{
    cr_expect(same("http://gpu1:11434,slots=2", "http://GPU1:11434/"));
    cr_expect(same("http://localhost:11434", "http://127.0.0.1:11434/v1"));
    cr_expect_not(same("http://gpu1:11434", "http://gpu1:11435"));
    cr_expect_not(same("http://gpu1:11434", "http://gpu2:11434"));
    cr_expect_not(same("http://localhost:80/a", "http://127.0.0.1:80/b"));
}

Test(model_address, malformed_addresses_are_refused_with_an_example)
{
    static const char *const bad[] = {
        "",
        "localhost:11434",
        "ftp://localhost",
        "http://",
        "http://host:99999",
        "http://host:port",
        "http://user:secret@host",
        "http://host?x=1",
        "http://host#x",
        "http://ho st",
        "http://host,slots=0",
        "http://host,slots=1025",
        "http://host,slots=",
        "http://host,slots=2x",
        "http://host,slots=-1",
        "http://host,slot=2",
        "http://host,",
        "http://host\n",
        "http://\xff",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct model_address got;
        struct err err = ERR_CLEAR;
        cr_expect_not(model_address_parse("ollama", bad[i], &got, &err),
                      "\"%s\" was taken", bad[i]);
        cr_expect_eq(err.code, ERR_INPUT);
        cr_expect_not_null(strstr(err.text, "localhost:11434"), "%s", err.text);
    }
}

Test(model_address, an_address_too_long_is_refused)
{
    char text[1000] = "http://";
    struct model_address got;
    struct err err = ERR_CLEAR;

    memset(text + 7, 'a', sizeof text - 8);
    text[sizeof text - 1] = '\0';
    cr_expect_not(model_address_parse("ollama", text, &got, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}

Test(model_address, an_unknown_kind_of_server_is_refused)
{
    struct model_address got = {.backend = "gopher", .url = "http://x"};
    struct err err = ERR_CLEAR;

    cr_expect_null(model_client_new(&got, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "gopher"), "%s", err.text);
}

Test(model_address, a_server_on_this_machine_is_known_by_its_port)
{
    static const struct {
        const char *url;
        int port;
    } known[] = {
        {"http://127.0.0.1:11434", 11434},
        {"http://localhost:8080", 8080},
        {"http://LocalHost:8080", 8080},
        {"http://[::1]:9000", 9000},
        {"http://localhost", 80},
        {"https://localhost", 443},
        {"http://127.9.9.9:7/ollama", 7},
        {"http://localhost:11434/a:b/c", 11434},
        {"http://gpu-1:11434", 0},
        {"http://localhost.example.org:11434", 0},
        {"http://127.example.org:11434", 0},
        {"http://10.0.0.1:11434", 0},
        {"http://[::2]:9000", 0},
        {"nonsense", 0},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_expect_eq(reach_local_port(known[i].url), known[i].port, "%s",
                     known[i].url);
}
