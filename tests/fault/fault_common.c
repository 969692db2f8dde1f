#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "fault/alloc_fault.h"

static bool fill_buf(struct err *err)
{
    struct buf buf = BUF_INIT(1 << 20);
    char *text = NULL;
    bool ok = false;

    for (int i = 0; i < 100; i++) {
        buf_printf(&buf, "%d of %s ", i, "many");
        buf_put_json(&buf, "a \"word\"\n", 9);
    }
    if (!buf_ok(&buf, "the words", err))
        goto out;
    text = buf_take(&buf);
    ok = text != NULL && strstr(text, "99 of many ") != NULL;

out:
    free(text);
    buf_release(&buf);
    return ok;
}

Test(fault, a_buffer_that_cannot_grow_says_so)
{
    // Doubling from 256 bytes to over 2000 takes four allocations.
    cr_expect_geq(fault_each(fill_buf), 4);
}

static bool take_nothing(struct err *err)
{
    struct buf buf = BUF_INIT(16);
    char *text = buf_take(&buf);

    if (text == NULL)
        err_nomem(err, "an empty text");
    free(text);
    return text != NULL;
}

Test(fault, an_empty_text_needs_memory_too)
{
    cr_expect_eq(fault_each(take_nothing), 1);
}

static bool fill_arena(struct err *err)
{
    struct arena arena = ARENA_INIT(1 << 20);
    bool ok = true;

    for (size_t i = 0; i < 50 && ok; i++) {
        ok = arena_strdup(&arena, "a demo") != NULL &&
             arena_array(&arena, i, 100) != NULL &&
             arena_printf(&arena, "%zu", i) != NULL;
    }
    if (!ok)
        err_nomem(err, "the demos");
    arena_release(&arena);
    return ok;
}

Test(fault, an_arena_without_memory_stays_releasable)
{
    cr_expect_gt(fault_each(fill_arena), 5);
}

static const char document[] =
    "{\"steps\": [{\"name\": \"classify\", \"k\": 3, \"t\": 0.7},\n"
    " {\"name\": \"answer\", \"demos\": [\"a\", \"b\", null, true]}],\n"
    " \"metric\": \"exact\"}";

static bool parse_and_write(struct err *err)
{
    struct buf buf = BUF_INIT(4096);
    char *text = NULL;
    bool ok = false;

    json_t *value =
        json_parse(document, sizeof document - 1, sizeof document, err);
    if (value == NULL)
        goto out;
    json_put_sorted(&buf, value);
    if (!buf_ok(&buf, "the document", err))
        goto out;
    text = json_text(value);
    if (text == NULL)
        err_nomem(err, "the text");
    ok = text != NULL;

out:
    free(text);
    buf_release(&buf);
    json_decref(value);
    return ok;
}

Test(fault, json_out_of_memory_is_not_reported_as_a_writer_mistake)
{
    cr_expect_gt(fault_each(parse_and_write), 20);
}

static bool build_and_write(struct err *err)
{
    json_t *value =
        json_pack("{s:s, s:[i, f]}", "name", "classify", "k", 3, 0.5);
    char *text = json_text(value);

    if (text == NULL)
        err_nomem(err, "the step");
    free(text);
    json_decref(value);
    return text != NULL;
}

Test(fault, json_that_failed_to_build_is_not_written)
{
    cr_expect_gt(fault_each(build_and_write), 5);
}

static char path[] = "/tmp/promptcc-fault-XXXXXX";

static bool write_and_read(struct err *err)
{
    struct buf buf = BUF_INIT(4096);
    bool ok = file_write(path, document, sizeof document, err) &&
              file_read(path, &buf, err) && buf.len == sizeof document;

    buf_release(&buf);
    return ok;
}

Test(fault, file_io_succeeds_or_reports_out_of_memory)
{
    int fd = mkstemp(path);

    cr_assert_neq(fd, -1);
    (void)close(fd);
    cr_expect_geq(fault_each(write_and_read), 3);
    (void)unlink(path);
}

static bool join_paths(struct err *err)
{
    char *folder = file_folder("jobs/care/job.yaml");
    char *joined = file_join("jobs/care", "train.jsonl");
    bool ok = folder != NULL && joined != NULL;

    if (!ok)
        err_nomem(err, "the paths");
    free(joined);
    free(folder);
    return ok;
}

Test(fault, a_path_without_memory_is_null)
{
    cr_expect_geq(fault_each(join_paths), 2);
}
