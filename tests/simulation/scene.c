#include "simulation/scene.h"

#include <stdio.h>
#include <string.h>

#include "simulation/servers.h"

// Two steps, of which one needs the other; each optimizer that is quick.
#define PROGRAM                                                                \
    "models: {student: '" SERVERS_MODEL "'}\n"                                 \
    "inputs: {text: {desc: A note}}\n"                                         \
    "steps:\n"                                                                 \
    "  think:\n"                                                               \
    "    predict: Say in short what the note tells.\n"                         \
    "    inputs: [text]\n"                                                     \
    "    outputs: {gist: {desc: In a few words}}\n"                            \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: {text: text, gist: think.gist}\n"                             \
    "    outputs: {topic: {enum: [garden, kitchen, travel, music]}}\n"         \
    "data: {examples: examples.jsonl}\n"                                       \
    "metric: {exact_match: topic}\n"

static const char *const jobs[SCENE_VARIANTS] = {
    "name: first\n" PROGRAM
    "optimizer: {bootstrap_random_search: {num_candidate_programs: 2}}\n",
    "name: second\nwindow: 2\n" PROGRAM
    "optimizer: {bootstrap_random_search: {num_candidate_programs: 1,\n"
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
    static struct wire_file files[2];
    static struct submit submit = {.action = "run",
                                   .options = "{}",
                                   .folder = "",
                                   .files = files,
                                   .n_files = 2};
    const char *rows = examples();

    files[0] = (struct wire_file){.name = "job.yaml",
                                  .data = jobs[variant],
                                  .len = strlen(jobs[variant])};
    files[1] = (struct wire_file){
        .name = "examples.jsonl", .data = rows, .len = strlen(rows)};
    return &submit;
}
