#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/key_folder.h"
#include "cli/listing.h"
#include "cli/option_about.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/file.h"
#include "common/shell_word.h"

enum { TEXT_BYTES = 16384 };

static void tell_made(enum key_role role, const char *name, const char *folder,
                      struct buf *out)
{
    const char *command =
        role == KEY_WORKER ? "promptcc worker" : "promptcc submit JOB";

    buf_printf(out,
               "%s/%s.key is the secret key of %s %s, which may connect as "
               "long as %s/allowed/%s.pub exists. Move the secret key to its "
               "machine, and use it there:\n"
               "  %s --coordinator tcp://HOST:PORT --keys %s.key\n",
               folder, name, key_role_name(role), name, folder, name, command,
               name);
}

static void add_file(json_t *files, const char *folder, const char *name)
{
    json_array_append_new(files, json_sprintf("%s/%s.key", folder, name));
}

// Lists the files with secret keys that it made in `files`.
static bool make(const struct options *options, const char *folder,
                 enum key_role role, struct buf *out, json_t *files,
                 struct err *err)
{
    const char *name =
        options->n_operands > 1 ? options->operands[1] : key_role_name(role);
    bool made = false;

    if (role == KEY_COORDINATOR && options->n_operands > 1) {
        err_set(err, ERR_INPUT,
                "the coordinator's key is always called `coordinator`: leave "
                "out the name");
        return false;
    }
    if (!key_folder_make(folder, role, name, &made, err)) {
        if (made)
            output_say("promptcc: only the coordinator's own key is made, "
                       "%s/coordinator.key\n",
                       folder);
        return false;
    }
    if (role == KEY_COORDINATOR && !made) {
        err_set(err, ERR_INPUT,
                "%s/coordinator.key already exists; with a new one, the "
                "keys of all workers and clients have to be made again",
                FILE_SHOWN(folder, 110));
        return false;
    }
    if (made) {
        add_file(files, folder, "coordinator");
        buf_printf(out,
                   "%s/coordinator.key is the coordinator's own secret key:\n"
                   "  promptcc coordinator --listen tcp://0.0.0.0:5570 --keys ",
                   folder);
        shell_word_show(folder, out);
        buf_putc(out, '\n');
    }
    if (role != KEY_COORDINATOR) {
        add_file(files, folder, name);
        tell_made(role, name, folder, out);
    }
    return true;
}

static bool revoke(const struct options *options, const char *folder,
                   struct buf *out, struct err *err)
{
    char place[KEY_PLACE_BYTES];
    const char *name;

    if (options->n_operands < 2) {
        key_place(folder, place);
        err_set(err, ERR_INPUT,
                "`promptcc keys revoke` needs the NAME of a key; `promptcc "
                "keys%s` lists them",
                place);
        return false;
    }
    name = options->operands[1];
    if (!key_folder_revoke(folder, name, err))
        return false;
    buf_printf(out,
               "%s may no longer connect; a coordinator that uses %s cuts it "
               "off within two seconds\n",
               name, folder);
    return true;
}

static const struct grid_column columns[] = {
    {"KEY", "name", GRID_TEXT, false},
    {"ROLE", "role", GRID_TEXT, false},
    {"PUBLIC KEY", "public", GRID_TEXT, false},
};

static json_t *list(const char *folder, struct err *err)
{
    struct key *keys = NULL;
    size_t n = 0;
    json_t *rows =
        key_folder_list(folder, &keys, &n, err) ? json_array() : NULL;

    for (size_t i = 0; rows != NULL && i < n; i++)
        json_array_append_new(rows,
                              json_pack("{s:s, s:s, s:s}", "name", keys[i].name,
                                        "role", key_role_name(keys[i].role),
                                        "public", keys[i].public_key));
    free(keys);
    return rows;
}

static int print_list(const struct options *options, const char *folder)
{
    struct err err = ERR_CLEAR;
    char place[KEY_PLACE_BYTES], none[4 * KEY_PLACE_BYTES];

    key_place(folder, place);
    (void)snprintf(none, sizeof none,
                   "no keys: make one with `promptcc keys worker NAME%s` or "
                   "`promptcc keys client NAME%s`",
                   place, place);
    return listing_print(options, list(folder, &err), columns,
                         sizeof columns / sizeof *columns, none, &err);
}

static int print_done(const struct options *options, const char *what,
                      const struct buf *text, json_t *made)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    const char *name = options->n_operands > 1 ? options->operands[1] : what;
    json_t *document;
    int status;

    if (!option_on(options, OPT_JSON))
        return output_lines(&terminal, text);
    document = json_pack("{s:s, s:s}", "name", name, "state",
                         strcmp(what, "revoke") == 0 ? "revoked" : "allowed");
    if (json_array_size(made) > 0)
        json_object_set(document, "made", made);
    status = output_json(document);
    json_decref(document);
    return status;
}

// Other commands take the file of one key with --keys; this one works on the
// folder of all keys.
static bool check_folder(const char *folder, struct err *err)
{
    struct stat st;

    if (stat(folder, &st) != 0 || S_ISDIR(st.st_mode))
        return true;
    err_set(err, ERR_INPUT,
            "%s is a file, and `promptcc keys` works on the folder of all "
            "keys: say --keys DIR",
            FILE_SHOWN(folder, 150));
    return false;
}

static int run(const struct options *options)
{
    const char *folder = option_text(options, OPT_KEYS);
    const char *what = options->n_operands > 0 ? options->operands[0] : NULL;
    struct buf text = BUF_INIT(TEXT_BYTES);
    struct err err = ERR_CLEAR;
    json_t *made;
    bool ok = false;
    int status;

    if (folder == NULL)
        folder = KEY_DEFAULT_FOLDER;
    if (!check_folder(folder, &err))
        return output_error(options, &err);
    if (what == NULL)
        return print_list(options, folder);
    made = json_array();
    if (option_on(options, OPT_CSV))
        err_set(&err, ERR_INPUT,
                "--csv is for the list of keys, which `promptcc keys --csv` "
                "prints; `promptcc keys %.40s` has no table",
                what);
    else if (key_role_of(what) != KEY_NONE)
        ok = make(options, folder, key_role_of(what), &text, made, &err);
    else if (strcmp(what, "revoke") == 0)
        ok = revoke(options, folder, &text, &err);
    else
        err_set(&err, ERR_INPUT,
                "`promptcc keys` does not know `%.40s`: it makes the key of a "
                "worker, client or coordinator, or can revoke one",
                what);
    status = ok ? print_done(options, what, &text, made)
                : output_error(options, &err);
    json_decref(made);
    buf_release(&text);
    return status;
}

const struct command_entry cmd_keys = {
    .name = "keys",
    .usage = "[worker|client|coordinator|revoke] [NAME]",
    .summary = "makes, lists and revokes the keys of a cluster",
    .about = "Without a word it lists them. `keys worker rack1` makes the "
             "key of a worker, and the coordinator's unless it exists.",
    .example = "promptcc keys worker rack1 --keys keys",
    .options =
        OPTION_BIT(OPT_KEYS) | OPTION_BIT(OPT_CSV) | OPTION_BIT(OPT_JSON),
    .max_operands = 2,
    .option_help =
        (const struct option_help[]){
            {OPT_KEYS, "the folder of the keys", "keys"}, {0}},
    .document = "a list of `name`, `role`, `public`; for a key that is made or "
                "revoked, `name`, `state`, and `made`, the files of the secret "
                "keys that are new",
    .run = run,
};
