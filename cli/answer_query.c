#include "cli/answer_query.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/error_document.h"
#include "common/file.h"
#include "common/json.h"
#include "store/lookup.h"
#include "store/query.h"

enum {
    ARGUMENT_BYTES = 1 << 20,
    ANSWER_BYTES = 64 << 20,
    FILE_BYTES = 1 << 30, // of a temporary file, such as for a sort
};

// Writing a larger file is then an error, which SQLite reports.
static void confine_files(void)
{
    const struct rlimit limit = {.rlim_cur = FILE_BYTES,
                                 .rlim_max = FILE_BYTES};

    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static json_t *ask(const char *path, const json_t *argument, struct err *err)
{
    struct store *store = store_open_read(path, err);
    json_t *answer = NULL;

    if (store != NULL) {
        query_confine(store);
        answer = lookup_answer(store, "query", "", argument, err);
    }
    store_close(store);
    return answer;
}

const char *answer_query_program(void)
{
    static const char path[] = "/proc/self/exe";

    return access(path, X_OK) == 0 ? path : NULL;
}

int answer_query(const char *store)
{
    struct buf question = BUF_INIT(ARGUMENT_BYTES);
    struct buf text = BUF_INIT(ANSWER_BYTES);
    struct err err = ERR_CLEAR;
    json_t *argument = NULL, *answer = NULL;
    int status;

    confine_files();
    if (file_read("/dev/stdin", &question, &err))
        argument =
            json_parse(question.data, question.len, ARGUMENT_BYTES, &err);
    if (argument != NULL)
        answer = ask(store, argument, &err);
    if (answer == NULL)
        answer = error_document_json(&err);
    json_put(&text, answer);
    status = output_text(&text);
    json_decref(argument);
    json_decref(answer);
    buf_release(&question);
    buf_release(&text);
    return status;
}
