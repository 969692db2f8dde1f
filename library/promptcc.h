// promptcc: runs a compiled program from C.
//
// A compiled file is what `promptcc run` writes: the instructions, demos, types
// and model of a pipeline. This library loads it, shows the exact messages that
// it sends, and runs it on a model server. It needs nothing else of promptcc,
// and no coordinator.
//
//     struct promptcc_error error = {0};
//     struct promptcc_program *program =
//         promptcc_load("compiled.json", &error);
//     struct promptcc_runner *runner = promptcc_runner_new(
//         program, "ollama", "http://localhost:11434,slots=2", &error);
//     char *outputs = promptcc_run(
//         runner, "{\"user_message\": \"Where is my parcel?\"}", &error);
//     puts(outputs != NULL ? outputs : error.text);
//
// Link with `pkg-config --cflags --libs promptcc`.
//
// Texts are UTF-8. A text returned as `char *` belongs to the caller: free it
// with promptcc_text_free. NULL (or false) means failure, and the error says
// why. The error is left alone on success, and may be NULL. No other argument
// may be NULL unless its comment says so, and nothing may be used after it was
// freed; as in the C library, neither is checked. So check each result before
// you use it.
//
// Locale: the caller's is left alone, and numbers have a decimal point whatever
// it says.
//
// Threads: a program never changes, and any number of threads may use it at the
// same time. A runner belongs to one thread at a time; create one for each.
//
// Processes: a child made by fork may use the programs and runners that its
// parent made, except a runner that another thread was using at that moment.
// Its runners open connections of their own. It frees what it inherited, or
// leaves that to its end; the parent's stay as they are.
//
// Surroundings: nothing is written to standard output or standard error, no
// signal handler is set, no SIGPIPE is caused, no program is started, and the
// programs that you start do not inherit the connections. Once loaded, the
// library stays until the process ends; dlclose does not remove it.
//
// This header is stable: within version 1, nothing in it changes its meaning,
// and functions are only added.

#ifndef PROMPTCC_H
#define PROMPTCC_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROMPTCC_API_VERSION 1

// Returns the version of the library in use, for example "0.1.0".
const char *promptcc_version(void);

enum promptcc_code {
    PROMPTCC_OK = 0,
    PROMPTCC_INPUT,  // something given is wrong: a file, inputs, a name
    PROMPTCC_MODEL,  // the model gave no readable answer
    PROMPTCC_SERVER, // the model server could not be asked, or lacks the model:
                     // other inputs would fail as well
    PROMPTCC_MEMORY, // out of memory, or a text over its limit
};

struct promptcc_error {
    enum promptcc_code code;
    char text[240]; // one sentence: what failed, where, what to do
};

// --- programs ---

struct promptcc_program;

// Reads a compiled file (at most 64 MiB). PROMPTCC_INPUT if it cannot be read,
// or is not a compiled file of promptcc.
struct promptcc_program *promptcc_load(const char *path,
                                       struct promptcc_error *error);

// Like promptcc_load, but reads a text. Messages use `name` as the file's name.
struct promptcc_program *promptcc_load_text(const char *name, const char *text,
                                            size_t length,
                                            struct promptcc_error *error);

// Frees a program; free its runners first. Accepts NULL.
void promptcc_free(struct promptcc_program *program);

// Returns the model that the program was compiled for. Borrowed.
const char *promptcc_model(const struct promptcc_program *program);

// Returns true if the models of its run were simulated, so that no real model
// was involved in choosing its prompts.
bool promptcc_simulated(const struct promptcc_program *program);

// Returns {"inputs", "steps", "outputs"} as a job file has them, as JSON.
char *promptcc_describe(const struct promptcc_program *program,
                        struct promptcc_error *error);

// Returns the exact messages that a step sends, as a JSON array of {"role",
// "content"}. `inputs` has the step's inputs, as a JSON object; if it is NULL,
// the result is the part that is the same for all questions. PROMPTCC_INPUT if
// there is no such step, or if an input is missing, unknown, or not of its
// type.
char *promptcc_render(const struct promptcc_program *program, const char *step,
                      const char *inputs, struct promptcc_error *error);

// --- running ---

struct promptcc_runner;

// Creates a runner. `backend` is "ollama" or "openai" (llama-server, vLLM, LM
// Studio and others). `address` is "http://HOST:PORT", followed by ",slots=N"
// if the server may get N calls at the same time (1 to 1024, default 1). The
// server is asked whether it has the model, for at most 5 s. program is
// borrowed.
struct promptcc_runner *
promptcc_runner_new(const struct promptcc_program *program, const char *backend,
                    const char *address, struct promptcc_error *error);

// Frees a runner. Accepts NULL.
void promptcc_runner_free(struct promptcc_runner *runner);

// Returns a sentence about what is unusual about the server, such as a
// different digest than the file's; "" if nothing is. Borrowed.
const char *promptcc_runner_warning(const struct promptcc_runner *runner);

// Runs the program on inputs, a JSON object. Blocks until the outputs are known
// and returns them as a JSON object.
char *promptcc_run(struct promptcc_runner *runner, const char *inputs,
                   struct promptcc_error *error);

// Like promptcc_run, but takes a JSON array of such objects and runs several at
// a time. Returns an array that has, for each in its place, {"outputs": {...}}
// or {"error": {"code", "text"}}. Fails as a whole only if the server cannot be
// asked.
char *promptcc_run_many(struct promptcc_runner *runner, const char *inputs,
                        struct promptcc_error *error);

void promptcc_text_free(char *text); // accepts NULL

#ifdef __cplusplus
}
#endif

#endif
