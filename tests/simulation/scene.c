#include "simulation/scene.h"

#include <stdio.h>
#include <string.h>

#include "simulation/servers.h"

// Two steps, one of which needs the other, and each optimizer that is quick.
// Before them, the second job searches notes by embeddings, and picks demos the
// same way.
#define PROGRAM(models, search, inputs)                                        \
    "models: {student: '" SERVERS_MODEL "'" models "}\n"                       \
    "inputs: {text: {desc: A note}}\n"                                         \
    "steps:\n" search "  think:\n"                                             \
    "    predict: Say in short what the note tells.\n"                         \
    "    inputs: {text: text" inputs "}\n"                                     \
    "    outputs: {gist: {desc: In a few words}}\n"                            \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: {text: text, gist: think.gist}\n"                             \
    "    outputs: {topic: {enum: [garden, kitchen, travel, music]}}\n"         \
    "data: {examples: examples.jsonl}\n"                                       \
    "metric: {exact_match: topic}\n"

static const char *const jobs[SCENE_VARIANTS] = {
    "name: first\n" PROGRAM("", "", "") "optimizer: {bootstrap_random_search: "
                                        "{num_candidate_programs: 2}}\n",
    "name: second\nwindow: 2\n" PROGRAM(
        ", embed: '" SERVERS_EMBEDDER "'",
        "  search: {retrieve: notes.jsonl, inputs: [text], by: embeddings,\n"
        "           k: 1}\n",
        ", notes: search.passages") "demos: {nearest: 2, by: embeddings}\n"
                                    "optimizer: {bootstrap_random_search: "
                                    "{num_candidate_programs: 1,\n"
                                    "  max_labeled_demos: 3, seed: 7}}\n",
};

enum { ROWS = 16 };

static const char *examples(void)
{
    static const char *const topics[] = {"garden", "kitchen", "travel",
                                         "music"};
    static char text[ROWS * 120];
    size_t len = 0;

    for (int i = 0; i < ROWS && len < sizeof text; i++)
        len += (size_t)snprintf(
            text + len, sizeof text - len,
            "{\"text\": \"Note %d is one of the %s\", \"topic\": \"%s\"}\n", i,
            topics[i % 4], topics[i % 4]);
    return text;
}

const struct submit *scene_submit(int variant)
{
    static const char notes[] = "{\"note\": \"of the garden\"}\n"
                                "{\"note\": \"of the kitchen\"}\n"
                                "{\"note\": \"of music\"}\n";
    static struct wire_file files[3];
    static struct submit submit = {.action = "run",
                                   .options = "{}",
                                   .folder = "",
                                   .files = files,
                                   .n_files = 3};
    const char *rows = examples();

    files[0] = (struct wire_file){.name = "job.yaml",
                                  .data = jobs[variant],
                                  .len = strlen(jobs[variant])};
    files[1] = (struct wire_file){
        .name = "examples.jsonl", .data = rows, .len = strlen(rows)};
    files[2] = (struct wire_file){
        .name = "notes.jsonl", .data = notes, .len = strlen(notes)};
    return &submit;
}
