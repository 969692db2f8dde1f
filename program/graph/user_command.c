#include "program/graph/user_command.h"

#include "common/text.h"

enum { MAX_WORDS = 64, TIMEOUT_MS = 30000, TIMEOUT_MAX_MS = 3600000 };

static bool check_list(const struct node *map, const struct node *command,
                       struct diags *diags)
{
    if (command == NULL)
        diag_add(diags, DIAG_ERROR, "missing-key", &map->place,
                 "`exec` needs `command`");
    else if (command->kind != NODE_LIST || command->n == 0 ||
             command->n > MAX_WORDS)
        diag_add(diags, DIAG_ERROR, "bad-value", &command->place,
                 "`command` takes a list of 1 to %d words: no shell splits it",
                 MAX_WORDS);
    else
        return true;
    diag_remedy(diags, "write exec: {command: [python3, program.py]}");
    return false;
}

static bool read_words(struct arena *arena, const struct node *list,
                       struct diags *diags, struct user_command *out)
{
    const char **argv = arena_array(arena, list->n + 1, sizeof(char *));
    bool ok = argv != NULL;

    for (size_t i = 0; argv != NULL && i < list->n; i++) {
        const char *word = NULL;

        ok = node_text(list->items[i], "a word of `command`", &word, diags) &&
             ok;
        argv[i] = arena_strdup(arena, word == NULL ? "" : word);
        ok = argv[i] != NULL && ok;
        diags->nomem = diags->nomem || argv[i] == NULL;
    }
    diags->nomem = diags->nomem || argv == NULL;
    if (ok && argv[0][0] == '\0') {
        diag_add(diags, DIAG_ERROR, "bad-value", &list->place,
                 "the first word of `command` is empty");
        ok = false;
    }
    out->argv = argv;
    return ok;
}

static bool read_timeout(const struct node *node, struct diags *diags,
                         int64_t *out)
{
    const char *text = NULL;

    if (!node_text(node, "`timeout` of `exec`", &text, diags))
        return false;
    if (text_duration_ms(text, out) && *out > 0 && *out <= TIMEOUT_MAX_MS)
        return true;
    diag_add(diags, DIAG_ERROR, "bad-value", &node->place,
             "`timeout` is `%.40s`, expected a time up to 1h, like 30s", text);
    return false;
}

bool user_command_read(struct arena *arena, const struct node *map,
                       struct diags *diags, struct user_command *out)
{
    const struct node *command = node_find(map, "command");
    const struct node *timeout = node_find(map, "timeout");

    *out = (struct user_command){.timeout_ms = TIMEOUT_MS};
    if (!check_list(map, command, diags))
        return false;
    bool ok = read_words(arena, command, diags, out);
    return (timeout == NULL ||
            read_timeout(timeout, diags, &out->timeout_ms)) &&
           ok;
}

static json_t *words_json(const char *const *argv)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && argv[i] != NULL; i++) {
        if (json_array_append_new(list, json_string(argv[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

// Writes 30s or 1.5s, in the form that text_duration_ms reads.
static json_t *timeout_json(int64_t ms)
{
    if (ms % 1000 == 0)
        return json_sprintf("%llds", (long long)(ms / 1000));
    return json_sprintf("%lld.%03llds", (long long)(ms / 1000),
                        (long long)(ms % 1000));
}

bool user_command_put(const struct user_command *command, json_t *map)
{
    return json_object_set_new(map, "command", words_json(command->argv)) ==
               0 &&
           json_object_set_new(map, "timeout",
                               timeout_json(command->timeout_ms)) == 0;
}
