// promptcc: run a compiled program from C.
//
// A compiled file is what `promptcc run` writes: instructions, demos, types
// and model of a pipeline. This library loads it, shows the exact messages that
// it sends, and runs it on a model server, with nothing else of promptcc
// installed and no coordinator anywhere.
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
// Texts are UTF-8. Those that a function returns as `char *` are the caller's:
// give them to promptcc_text_free. NULL (or false) is failure, and the error
// says why; it is untouched on success, and may be NULL. No other argument may
// be, except where it is said, and nothing may be used once it was freed: as in
// C's own library, neither is looked after. So look at each result first.
//
// Threads: a program never changes, and any number of threads may use it at
// the same time. A runner belongs to one thread at a time; make one for each.
//
// This header is stable: within version 1 nothing in it changes its meaning,
// functions are added only.

#ifndef PROMPTCC_H
#define PROMPTCC_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PROMPTCC_API_VERSION 1

// The version of the library that runs, for example "0.1.0".
const char *promptcc_version(void);

enum promptcc_code {
    PROMPTCC_OK = 0,
    PROMPTCC_INPUT,  // what was given is wrong: a file, inputs, a name
    PROMPTCC_MODEL,  // the model gave no readable answer
    PROMPTCC_SERVER, // the model server could not be asked, or lacks the
                     // model: no other input would fare better
    PROMPTCC_MEMORY, // no memory, or a text above its bound
};

struct promptcc_error {
    enum promptcc_code code;
    char text[240]; // one sentence: what, where, what to do
};

// --- programs ---

struct promptcc_program;

// Reads a compiled file (at most 64 MiB). PROMPTCC_INPUT: it cannot be read,
// or is no compiled file of promptcc.
struct promptcc_program *promptcc_load(const char *path,
                                       struct promptcc_error *error);

// The same of a text. name stands in messages for the file's.
struct promptcc_program *promptcc_load_text(const char *name, const char *text,
                                            size_t length,
                                            struct promptcc_error *error);

// Frees it, after its last runner. NULL is fine.
void promptcc_free(struct promptcc_program *program);

// The model that it was compiled for. Borrowed.
const char *promptcc_model(const struct promptcc_program *program);

// True when the models of its run were stand-ins: its prompts were chosen by
// no real model.
bool promptcc_simulated(const struct promptcc_program *program);

// {"inputs", "steps", "outputs"} as a job file has them, as JSON.
char *promptcc_describe(const struct promptcc_program *program,
                        struct promptcc_error *error);

// The exact messages that a step sends, as a JSON array of {"role",
// "content"}. inputs: those of the step, as a JSON object; NULL for what is
// the same for all questions. PROMPTCC_INPUT: no such step, or an input that
// is missing, unknown, or not of its type.
char *promptcc_render(const struct promptcc_program *program, const char *step,
                      const char *inputs, struct promptcc_error *error);

// --- running ---

struct promptcc_runner;

// backend: "ollama" or "openai" (llama-server, vLLM, LM Studio and others).
// address: "http://HOST:PORT", or with ",slots=N" for the calls that may be
// open at the same time (1 to 1024; 1 without it). The server is asked for the
// model, for at most 5 s. program is borrowed.
struct promptcc_runner *
promptcc_runner_new(const struct promptcc_program *program, const char *backend,
                    const char *address, struct promptcc_error *error);

// Drops what is under way. NULL is fine.
void promptcc_runner_free(struct promptcc_runner *runner);

// What is odd about the server, in a sentence: another digest than that of the
// file; "" when nothing is. Borrowed.
const char *promptcc_runner_warning(const struct promptcc_runner *runner);

// Runs the program on a JSON object of inputs, and blocks until its outputs
// are there: a JSON object.
char *promptcc_run(struct promptcc_runner *runner, const char *inputs,
                   struct promptcc_error *error);

// The same on a JSON array of such objects, several at a time: an array with,
// for each in its place, {"outputs": {...}} or {"error": {"code", "text"}}.
// Fails as a whole only when the server cannot be asked.
char *promptcc_run_many(struct promptcc_runner *runner, const char *inputs,
                        struct promptcc_error *error);

void promptcc_text_free(char *text); // NULL is fine

#ifdef __cplusplus
}
#endif

#endif
