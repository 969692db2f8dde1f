// reference: prints what the tables of the program say about themselves, as one
// JSON document. scripts/reference.py writes it into the pages of docs/, so
// that a row is described only once, in the table itself. This program is part
// of the build and is not installed.
//
//     {"commands": [{"group", "name", "usage", "summary", "about", "example",
//                    "document", "options": ["store", ...],
//                    "option_help": [an option that it describes in its own
//                    words]}],
//      "options": [{"name", "argument", "help", "more", "default", "env",
//                   "of": [commands that take it]}],
//      "exit": [{"status", "meaning"}],
//      "optimizers": [{"name", "help", "params": [{"name", "kind", "default",
//                      "choices", "help"}]}],
//      "messages": [{"kind", "name", "fields": [{"key", "type", "required",
//                    "min", "max", "about", "items": [fields of a list]}]}],
//      "verbs": [{"name", "of_job", "argument", "reply"}],
//      "metrics": [{"name", "labels", "type", "help"}]}

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "cli/command_list.h"
#include "cli/option_about.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/reference_messages.h"
#include "coordinator/commands.h"
#include "search/optimizers/optimizer.h"
#include "store/lookup.h"
#include "web/metrics.h"

// --- the command line ---

static json_t *option_document(const struct command_entry *command,
                               enum option_id id)
{
    struct option_about about;
    char env[64];

    option_describe(command, id, &about);
    option_env(id, env, sizeof env);
    return json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:s?}", "name", about.name,
                     "argument", about.argument, "help", about.help, "more",
                     about.more, "default", about.default_text, "env",
                     option_rows[id].only_given ? NULL : env);
}

static json_t *takers_of(enum option_id id)
{
    json_t *list = json_array();

    for (size_t i = 0; i < command_list_n; i++)
        if ((command_list[i].entry->options & OPTION_BIT(id)) != 0)
            (void)json_array_append_new(
                list, json_string(command_list[i].entry->name));
    return list;
}

static json_t *options_document(void)
{
    json_t *list = json_array();

    for (int id = 0; id < OPTION_COUNT; id++) {
        json_t *one = option_document(NULL, (enum option_id)id);

        (void)json_object_set_new(one, "of", takers_of((enum option_id)id));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *command_document(const struct command_listed *listed)
{
    const struct command_entry *entry = listed->entry;
    json_t *taken = json_array(), *own = json_array();
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++)
        if ((entry->options & OPTION_BIT(id)) != 0) {
            option_describe(entry, (enum option_id)id, &about);
            (void)json_array_append_new(taken, json_string(about.name));
        }
    for (const struct option_help *one = entry->option_help;
         one != NULL && one->help != NULL; one++)
        (void)json_array_append_new(own, option_document(entry, one->id));
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s?, s:o, s:o}", "group",
                     command_group_title(listed->group), "name", entry->name,
                     "usage", entry->usage, "summary", entry->summary, "about",
                     entry->about, "example", entry->example, "document",
                     entry->document, "options", taken, "option_help", own);
}

static json_t *commands_document(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < command_list_n; i++)
        (void)json_array_append_new(list, command_document(&command_list[i]));
    return list;
}

static json_t *exit_document(void)
{
    json_t *list = json_array();

    for (const struct exit_meaning *one = exit_meanings; one->meaning != NULL;
         one++)
        (void)json_array_append_new(list, json_pack("{s:i, s:s}", "status",
                                                    (int)one->status, "meaning",
                                                    one->meaning));
    return list;
}

// --- optimizers ---

// null: the help says what it is
static json_t *default_of(const struct param *param)
{
    switch (param->kind) {
    case PARAM_INT:
        return param->default_value < 0
                   ? json_null()
                   : json_integer((json_int_t)param->default_value);
    case PARAM_BOOL:
        return json_boolean(param->default_value != 0);
    case PARAM_CHOICE:
        return json_string(param->choices[(size_t)param->default_value]);
    case PARAM_NUMBER:
        break;
    }
    return isnan(param->default_value) ? json_null()
                                       : json_real(param->default_value);
}

static json_t *params_document(const struct optimizer *optimizer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < optimizer->n_params; i++) {
        const struct param *param = &optimizer->params[i];
        json_t *choices = json_array();

        for (size_t c = 0; param->choices != NULL && param->choices[c] != NULL;
             c++)
            (void)json_array_append_new(choices,
                                        json_string(param->choices[c]));
        (void)json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:s}", "name", param->name,
                            "default", default_of(param), "choices", choices,
                            "help", param->help));
    }
    return list;
}

static json_t *optimizers_document(void)
{
    json_t *list = json_array();

    for (size_t i = 0; optimizers[i] != NULL; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "name", optimizers[i]->name,
                            "help", optimizers[i]->help, "params",
                            params_document(optimizers[i])));
    return list;
}

// --- commands to a coordinator ---

static void add_verb(json_t *list, const struct verb_about *about)
{
    (void)json_array_append_new(
        list, json_pack("{s:s, s:b, s:s?, s:s}", "name", about->name, "of_job",
                        (int)about->of_job, "argument", about->argument,
                        "reply", about->reply));
}

// A coordinator answers some questions of a history itself, so its commands
// come first.
static json_t *verbs_document(void)
{
    json_t *list = json_array();

    for (size_t i = 0; command_about(i) != NULL; i++)
        add_verb(list, command_about(i));
    for (size_t i = 0; lookup_about(i) != NULL; i++)
        add_verb(list, lookup_about(i));
    return list;
}

// --- what operators watch ---

static json_t *metrics_document(void)
{
    json_t *list = json_array();
    size_t n = 0;
    const struct metric_about *rows = metrics_about(&n);

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s}", "name", rows[i].name,
                            "labels", rows[i].labels, "type", rows[i].type,
                            "help", rows[i].help));
    return list;
}

int main(void)
{
    json_t *document = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "commands", commands_document(),
        "options", options_document(), "exit", exit_document(), "optimizers",
        optimizers_document(), "messages", reference_messages(), "metrics",
        metrics_document(), "verbs", verbs_document());
    bool ok = document != NULL &&
              json_dumpf(document, stdout, JSON_COMPACT) == 0 && puts("") >= 0;

    json_decref(document);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
