#include "library/promptcc.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "predict/compiled_file.h"
#include "predict/render.h"
#include "predict/runner.h"
#include "predict/student.h"
#include "program/prompt/prompt.h"

enum {
    CALL_TIMEOUT_MS = 600000,
    INPUTS_MAX_BYTES = 64 << 20, // of a text with inputs
    ERROR_TEXT_BYTES = sizeof((struct promptcc_error){0}).text,
};

struct promptcc_program {
    char *name; // of the file; compiled borrows it for messages
    struct compiled *compiled;
};

struct promptcc_runner {
    const struct promptcc_program *program;
    struct model_address address;
    struct student student;
    pid_t owner; // the process that opened the connections of student
};

const char *promptcc_version(void)
{
    return PROMPTCC_VERSION;
}

// --- numbers ---

// A program that uses us may speak German, and the C library would then read
// and write numbers with a decimal comma: in requests, which no server accepts,
// and in prompts. So the thread is in the C locale while it works for us. With
// glibc, entering it needs no memory; elsewhere, where there is none, the
// caller's locale stays.
struct stay {
    locale_t ours, theirs;
};

static struct stay enter_c_locale(void)
{
    struct stay stay = {.ours = newlocale(LC_ALL_MASK, "C", (locale_t)0)};

    stay.theirs = uselocale(stay.ours);
    return stay;
}

static void leave_c_locale(struct stay stay)
{
    (void)uselocale(stay.theirs);
    if (stay.ours != (locale_t)0)
        freelocale(stay.ours);
}

// --- errors ---

static enum promptcc_code code_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return PROMPTCC_OK;
    case ERR_INPUT:
        return PROMPTCC_INPUT;
    case ERR_PROTOCOL:
        return PROMPTCC_MODEL;
    case ERR_NOMEM:
    case ERR_LIMIT:
        return PROMPTCC_MEMORY;
    default:
        return PROMPTCC_SERVER;
    }
}

// Returns the name of a code in the results of promptcc_run_many.
static const char *code_name(enum promptcc_code code)
{
    static const char *const NAMES[] = {"ok", "input", "model", "server",
                                        "memory"};

    return NAMES[code];
}

static void set_error(struct promptcc_error *error, const struct err *err)
{
    if (error == NULL)
        return;
    error->code = code_of(err->code);
    (void)text_print(error->text, ERROR_TEXT_BYTES, "%s", err->text);
}

// --- programs ---

// Makes a program from compiled, whose messages borrow name. Takes over both.
// If compiled is NULL because reading failed, returns NULL.
static struct promptcc_program *make_program(char *name,
                                             struct compiled *compiled,
                                             struct promptcc_error *error,
                                             struct err *err)
{
    struct promptcc_program *program =
        compiled == NULL ? NULL : calloc(1, sizeof *program);

    if (compiled != NULL && program == NULL)
        err_nomem(err, "a program");
    if (program != NULL) {
        program->name = name;
        program->compiled = compiled;
        return program;
    }
    compiled_free(compiled);
    free(name);
    set_error(error, err);
    return NULL;
}

struct promptcc_program *promptcc_load(const char *path,
                                       struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    char *name = strdup(path);
    struct compiled *compiled = NULL;
    struct stay stay = enter_c_locale();

    if (name == NULL)
        err_nomem(&err, "a file's name");
    else
        compiled = compiled_file_read(name, &err);
    leave_c_locale(stay);
    return make_program(name, compiled, error, &err);
}

struct promptcc_program *promptcc_load_text(const char *name, const char *text,
                                            size_t length,
                                            struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    char *copy = strdup(name);
    struct compiled *compiled = NULL;
    struct stay stay = enter_c_locale();

    if (copy == NULL)
        err_nomem(&err, "a text's name");
    else if (length > COMPILED_FILE_MAX_BYTES)
        err_set(&err, ERR_INPUT, "%.120s: it is longer than 64 MiB", name);
    else
        compiled = compiled_read(copy, text, length, &err);
    leave_c_locale(stay);
    return make_program(copy, compiled, error, &err);
}

void promptcc_free(struct promptcc_program *program)
{
    if (program == NULL)
        return;
    compiled_free(program->compiled);
    free(program->name);
    free(program);
}

const char *promptcc_model(const struct promptcc_program *program)
{
    return program->compiled->model;
}

bool promptcc_simulated(const struct promptcc_program *program)
{
    return program->compiled->simulated;
}

// Returns value, taking over its reference, as a text.
static char *hand_over(json_t *value, struct err *err)
{
    char *text = value == NULL ? NULL : json_text(value);

    json_decref(value);
    if (text == NULL && err->code == ERR_NONE)
        err_nomem(err, "a text");
    return text;
}

char *promptcc_describe(const struct promptcc_program *program,
                        struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    struct stay stay = enter_c_locale();
    char *text = hand_over(program_json(program->compiled->program), &err);

    leave_c_locale(stay);
    if (text == NULL)
        set_error(error, &err);
    return text;
}

// Parses the caller's JSON text. Returns NULL with ERR_INPUT if it is not of
// that type.
static json_t *read_json(const char *text, json_type type, const char *what,
                         struct err *err)
{
    json_t *value = json_parse(text, strlen(text), INPUTS_MAX_BYTES, err);

    if (value == NULL || json_typeof(value) == type)
        return value;
    err_set(err, ERR_INPUT, "the inputs are not a JSON %s", what);
    json_decref(value);
    return NULL;
}

char *promptcc_render(const struct promptcc_program *program, const char *name,
                      const char *inputs, struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    struct stay stay = enter_c_locale();
    struct buf messages = BUF_INIT(PROMPT_MAX_BYTES * 2);
    const struct step *step = render_find_step(program->compiled, name, &err);
    json_t *values = step == NULL || inputs == NULL
                         ? NULL
                         : read_json(inputs, JSON_OBJECT, "object", &err);
    char *text = NULL;

    if (err.code == ERR_NONE &&
        render_step(program->compiled, step, values, &messages, &err))
        text = buf_take(&messages);
    if (text == NULL) {
        if (err.code == ERR_NONE)
            err_nomem(&err, "the messages");
        set_error(error, &err);
    }
    json_decref(values);
    buf_release(&messages);
    leave_c_locale(stay);
    return text;
}

// --- runners ---

struct promptcc_runner *
promptcc_runner_new(const struct promptcc_program *program, const char *backend,
                    const char *address, struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    struct promptcc_runner *runner = calloc(1, sizeof *runner);
    struct stay stay = enter_c_locale();
    bool ok = false;

    // Descriptor 2 may be a file of the program that uses us.
    log_set_level(LOG_SILENT);
    if (runner == NULL) {
        err_nomem(&err, "a runner");
    } else if (strcmp(backend, "ollama") != 0 &&
               strcmp(backend, "openai") != 0) {
        err_set(&err, ERR_INPUT,
                "unknown backend `%.40s`: use `ollama` or `openai`", backend);
    } else if (model_address_parse(backend, address, &runner->address, &err)) {
        runner->program = program;
        runner->owner = getpid();
        ok = student_open(program->compiled, &runner->address, &runner->student,
                          &err);
        // A server without the model is not an error in the caller's input.
        if (!ok && err.code == ERR_INPUT)
            err.code = ERR_FAULT;
    }
    leave_c_locale(stay);
    if (ok)
        return runner;
    free(runner);
    set_error(error, &err);
    return NULL;
}

void promptcc_runner_free(struct promptcc_runner *runner)
{
    if (runner != NULL)
        student_close(&runner->student);
    free(runner);
}

const char *promptcc_runner_warning(const struct promptcc_runner *runner)
{
    return runner->student.warning;
}

// --- running ---

struct list {
    json_t *inputs; // an array
    size_t next;
    json_t *results; // an array
    struct err last; // of the latest result
};

static bool next_inputs(void *user, json_t **values, struct err *err)
{
    struct list *list = user;

    (void)err;
    if (list->next == json_array_size(list->inputs))
        return false;
    *values = json_incref(json_array_get(list->inputs, list->next++));
    return true;
}

static json_t *result_json(const struct runner_result *result)
{
    if (result->outputs != NULL)
        return json_pack("{s:O}", "outputs", (json_t *)result->outputs);
    return json_pack("{s:{s:s,s:s}}", "error", "code",
                     code_name(code_of(result->err.code)), "text",
                     result->err.text);
}

static bool take_result(void *user, const struct runner_result *result,
                        struct err *err)
{
    struct list *list = user;

    list->last = result->err;
    if (json_array_append_new(list->results, result_json(result)) == 0)
        return true;
    err_nomem(err, "the results");
    return false;
}

// A child that was forked shares its parent's connections, and each of them
// could read the reply to what the other asked. So the child opens its own.
static bool own_connections(struct promptcc_runner *runner, struct err *err)
{
    struct model_client *client;

    if (runner->owner == getpid())
        return true;
    client = model_client_new(&runner->address, err);
    if (client == NULL)
        return false;
    model_client_free(runner->student.client);
    runner->student.client = client;
    runner->owner = getpid();
    return true;
}

// Runs a list of inputs, taking over its reference. Fails only if the server
// cannot be asked, or when out of memory. Returns a new reference.
static json_t *run_list(struct promptcc_runner *runner, json_t *inputs,
                        struct list *list, struct err *err)
{
    struct runner work = {.compiled = runner->program->compiled,
                          .slots = runner->address.slots,
                          .timeout_ms = CALL_TIMEOUT_MS};
    struct runner_io io = {
        .user = list, .next = next_inputs, .done = take_result};
    bool ok;

    *list = (struct list){.inputs = inputs, .results = json_array()};
    ok = list->inputs != NULL && list->results != NULL;
    if (!ok)
        err_nomem(err, "the inputs");
    ok = ok && own_connections(runner, err);
    work.client = runner->student.client;
    ok = ok && runner_run(&work, &io, err);
    json_decref(list->inputs);
    if (ok)
        return list->results;
    if (err->code == ERR_INPUT) // the server refuses the model or the request
        err->code = ERR_FAULT;
    json_decref(list->results);
    return NULL;
}

char *promptcc_run(struct promptcc_runner *runner, const char *inputs,
                   struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    struct list list;
    struct stay stay = enter_c_locale();
    json_t *values = read_json(inputs, JSON_OBJECT, "object", &err);
    json_t *results =
        values == NULL
            ? NULL
            : run_list(runner, json_pack("[o]", values), &list, &err);
    json_t *outputs = json_object_get(json_array_get(results, 0), "outputs");
    char *text = NULL;

    if (results != NULL && outputs == NULL)
        err = list.last;
    if (outputs != NULL)
        text = hand_over(json_incref(outputs), &err);
    if (text == NULL)
        set_error(error, &err);
    json_decref(results);
    leave_c_locale(stay);
    return text;
}

char *promptcc_run_many(struct promptcc_runner *runner, const char *inputs,
                        struct promptcc_error *error)
{
    struct err err = ERR_CLEAR;
    struct list list;
    struct stay stay = enter_c_locale();
    json_t *values = read_json(inputs, JSON_ARRAY, "array", &err);
    json_t *results =
        values == NULL ? NULL : run_list(runner, values, &list, &err);
    char *text = results == NULL ? NULL : hand_over(results, &err);

    leave_c_locale(stay);
    if (text == NULL)
        set_error(error, &err);
    return text;
}

void promptcc_text_free(char *text)
{
    free(text);
}
