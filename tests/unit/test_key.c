#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "wire/key.h"
#include "wire/key_find.h"

static struct err err;
static char folder[64];

static void set_up(void)
{
    err = ERR_CLEAR;
    (void)snprintf(folder, sizeof folder, "/tmp/promptcc-key-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(key, .init = set_up, .fini = tear_down, .timeout = 300);

static const char *path_of(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static struct key made(enum key_role role, const char *name)
{
    static const char coordinator[] =
        "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    struct key key;

    cr_assert(key_make(role, name, role == KEY_COORDINATOR ? "" : coordinator,
                       &key, &err),
              "%s", err.text);
    return key;
}

static void write_secret(enum key_role role, const char *name)
{
    struct key key = made(role, name);
    char file[80];

    (void)snprintf(file, sizeof file, "%s.key", name);
    cr_assert(key_write_secret(path_of(file), &key, &err), "%s", err.text);
}

static void write_text(const char *name, const char *text)
{
    cr_assert(file_write(path_of(name), text, strlen(text), &err), "%s",
              err.text);
    cr_assert_eq(chmod(path_of(name), 0600), 0);
}

Test(key, written_key_reads_back)
{
    struct key key = made(KEY_WORKER, "rack1"), read;

    cr_assert(key_write_secret(path_of("rack1.key"), &key, &err));
    cr_assert(key_read(path_of("rack1.key"), &read, &err), "%s", err.text);
    cr_expect_eq(read.role, KEY_WORKER);
    cr_expect_str_eq(read.name, "rack1");
    cr_expect_str_eq(read.public_key, key.public_key);
    cr_expect_str_eq(read.secret, key.secret);
    cr_expect_str_eq(read.coordinator, key.coordinator);
}

Test(key, a_public_file_holds_no_secret)
{
    struct key key = made(KEY_CLIENT, "ann"), read;
    struct buf text = BUF_INIT(4096);

    cr_assert(key_write_public(path_of("ann.pub"), &key, &err));
    cr_assert(key_read(path_of("ann.pub"), &read, &err), "%s", err.text);
    cr_expect_eq(read.role, KEY_CLIENT);
    cr_expect_str_eq(read.secret, "");
    cr_assert(file_read(path_of("ann.pub"), &text, &err));
    buf_append(&text, "", 1);
    cr_expect_null(strstr(text.data, key.secret));
    buf_release(&text);
}

Test(key, secret_file_is_readable_by_its_owner_only)
{
    struct stat st;
    struct key read;

    write_secret(KEY_WORKER, "rack1");
    cr_assert_eq(stat(path_of("rack1.key"), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(chmod(path_of("rack1.key"), 0640), 0);
    cr_expect_not(key_read(path_of("rack1.key"), &read, &err));
    cr_expect_not_null(strstr(err.text, "chmod 600"));
    cr_expect_eq(read.role, KEY_NONE);
}

Test(key, existing_file_is_not_replaced)
{
    struct key other = made(KEY_WORKER, "rack1");

    write_secret(KEY_WORKER, "rack1");
    cr_expect_not(key_write_secret(path_of("rack1.key"), &other, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}

Test(key, key_is_found_by_its_role)
{
    struct key found;

    write_secret(KEY_COORDINATOR, "coordinator");
    write_secret(KEY_WORKER, "rack1");
    write_secret(KEY_CLIENT, "ann");
    cr_assert(key_find(folder, KEY_CLIENT, &found, &err), "%s", err.text);
    cr_expect_str_eq(found.name, "ann");
    cr_assert(key_find(path_of("rack1.key"), KEY_WORKER, &found, &err));
    cr_expect_str_eq(found.name, "rack1");
}

Test(key, several_keys_of_the_role_require_naming_a_file)
{
    struct key found;

    write_secret(KEY_CLIENT, "ann");
    write_secret(KEY_CLIENT, "bob");
    cr_expect_not(key_find(folder, KEY_CLIENT, &found, &err));
    cr_expect_not_null(strstr(err.text, "ann.key"));
    cr_expect_not_null(strstr(err.text, "bob.key"));
}

Test(key, wrong_role_or_no_key_is_reported_with_the_remedy)
{
    struct key found;

    write_secret(KEY_WORKER, "rack1");
    cr_expect_not(key_find(folder, KEY_CLIENT, &found, &err));
    cr_expect_not_null(strstr(err.text, "promptcc keys client"));
    err = ERR_CLEAR;
    cr_expect_not(key_find(path_of("rack1.key"), KEY_CLIENT, &found, &err));
    cr_expect_not_null(strstr(err.text, "key of a worker"));
    err = ERR_CLEAR;
    cr_expect_not(key_find(path_of("nowhere"), KEY_CLIENT, &found, &err));
    cr_expect_not_null(strstr(err.text, "nowhere"));
}

Test(key, nonsense_is_refused)
{
    static const char *const texts[] = {
        "",
        "role worker\n",
        "role king\npublic Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\n",
        "role worker\npublic short\n",
        "role worker\npublic Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{h~D\n",
        "public Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\nhello world\n",
    };
    struct key read;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text("bad.key", texts[i]);
        err = ERR_CLEAR;
        cr_expect_not(key_read(path_of("bad.key"), &read, &err), "%s",
                      texts[i]);
        cr_expect_eq(err.code, ERR_INPUT);
    }
}

Test(key, names_with_special_characters_are_refused)
{
    static const char *const good[] = {"rack1", "a", "gpu-7.lab_2"};
    static const char *const bad[] = {"", ".x", "a/b", "a b", "ä", "a\nb"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(key_name_check(good[i], &err), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(key_name_check(bad[i], &err), "%s", bad[i]);
}
