#include "wire/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/shell_word.h"
#include "common/text.h"

enum { FILE_BYTES = 4096 };

static const char *const role_names[] = {
    [KEY_NONE] = "",
    [KEY_COORDINATOR] = "coordinator",
    [KEY_WORKER] = "worker",
    [KEY_CLIENT] = "client",
};

void key_place(const char *folder, char out[static KEY_PLACE_BYTES])
{
    struct buf text = BUF_INIT(KEY_PLACE_BYTES - 1);

    out[0] = '\0';
    if (strcmp(folder, KEY_DEFAULT_FOLDER) == 0)
        return;
    buf_puts(&text, " --keys ");
    shell_word_show(folder, &text);
    (void)snprintf(out, KEY_PLACE_BYTES, "%s",
                   text.failed ? " --keys DIR" : text.data);
    buf_release(&text);
}

const char *key_role_name(enum key_role role)
{
    return role_names[role];
}

enum key_role key_role_of(const char *name)
{
    for (int role = KEY_COORDINATOR; role <= KEY_CLIENT; role++)
        if (strcmp(role_names[role], name) == 0)
            return (enum key_role)role;
    return KEY_NONE;
}

bool key_name_check(const char *name, struct err *err)
{
    static const char fit[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);

    if (len > 0 && len < KEY_NAME_BYTES && name[0] != '.' &&
        strspn(name, fit) == len)
        return true;
    err_set(
        err, ERR_INPUT,
        "a key cannot be called `%.40s`: a name has 1 to %d letters, digits, "
        "dots, dashes or underscores, and does not begin with a dot",
        name, KEY_NAME_BYTES - 1);
    return false;
}

bool key_make(enum key_role role, const char *name, const char *coordinator,
              struct key *out, struct err *err)
{
    *out = KEY_EMPTY;
    if (!key_name_check(name, err))
        return false;
    if (zmq_curve_keypair(out->public_key, out->secret) != 0) {
        err_set(err, ERR_IO, "this ZeroMQ cannot make CURVE keys: %s",
                zmq_strerror(zmq_errno()));
        return false;
    }
    out->role = role;
    (void)text_print(out->name, sizeof out->name, "%s", name);
    (void)text_print(out->coordinator, sizeof out->coordinator, "%s",
                     coordinator);
    return true;
}

void key_wipe(struct key *key)
{
    sodium_memzero(key, sizeof *key);
}

// --- writing ---

// Creates a file that has this mode from the start.
static bool write_new(const char *path, mode_t mode, const struct buf *text,
                      struct err *err)
{
    int why;

    if (!buf_ok(text, "a key", err))
        return false;
    if (file_create(path, mode, text->data, text->len))
        return true;
    why = errno;
    if (why == EEXIST)
        err_set(err, ERR_INPUT,
                "%s already exists: choose another name, or remove it first",
                FILE_SHOWN(path, 150));
    else
        err_set(err, ERR_IO, "cannot write %s: %s", FILE_SHOWN(path, 150),
                strerror(why));
    return false;
}

bool key_write_secret(const char *path, const struct key *key, struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    bool ok;

    buf_printf(&text,
               "# promptcc: the secret key of %s %s. Whoever has this file can "
               "act in its place.\n"
               "role %s\npublic %s\nsecret %s\n",
               role_names[key->role], key->name, role_names[key->role],
               key->public_key, key->secret);
    if (key->coordinator[0] != '\0')
        buf_printf(&text, "coordinator %s\n", key->coordinator);
    ok = write_new(path, S_IRUSR | S_IWUSR, &text, err);
    if (text.data != NULL)
        sodium_memzero(text.data, text.len);
    buf_release(&text);
    return ok;
}

bool key_write_public(const char *path, const struct key *key, struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    bool ok;

    buf_printf(&text,
               "# promptcc: %s %s may connect as long as this file is here.\n"
               "role %s\npublic %s\n",
               role_names[key->role], key->name, role_names[key->role],
               key->public_key);
    ok = write_new(path, 0644, &text, err);
    buf_release(&text);
    return ok;
}

// --- reading ---

static bool read_line(char *line, const char *path, struct key *out,
                      struct err *err)
{
    char *value = line + strcspn(line, " ");
    char *place = NULL;

    if (line[0] == '#' || line[0] == '\0')
        return true;
    if (*value != '\0')
        *value++ = '\0';
    if (strcmp(line, "role") == 0) {
        out->role = key_role_of(value);
        if (out->role != KEY_NONE)
            return true;
    } else if (strcmp(line, "public") == 0) {
        place = out->public_key;
    } else if (strcmp(line, "secret") == 0) {
        place = out->secret;
    } else if (strcmp(line, "coordinator") == 0) {
        place = out->coordinator;
    }
    uint8_t raw[32];
    if (place != NULL && strlen(value) == KEY_BYTES - 1 &&
        zmq_z85_decode(raw, value) != NULL) {
        memcpy(place, value, KEY_BYTES);
        sodium_memzero(raw, sizeof raw);
        return true;
    }
    err_set(err, ERR_INPUT,
            "%s is not a promptcc key (it has a line `%.20s`): make one "
            "with `promptcc keys worker NAME` or `promptcc keys client NAME`",
            FILE_SHOWN(path, 90), line);
    return false;
}

static bool read_lines(char *text, const char *path, struct key *out,
                       struct err *err)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest))
        if (!read_line(line, path, out, err))
            return false;
    if (out->role != KEY_NONE && out->public_key[0] != '\0')
        return true;
    err_set(err, ERR_INPUT,
            "%s is not a promptcc key (it has no role or no public key): "
            "make one with `promptcc keys worker NAME` or `promptcc keys "
            "client NAME`",
            FILE_SHOWN(path, 90));
    return false;
}

// Names the key after its file, without the extension.
static void set_name(const char *path, struct key *out)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(base, '.');
    int len = dot == NULL ? (int)strlen(base) : (int)(dot - base);

    (void)text_print(out->name, sizeof out->name, "%.*s", len, base);
}

static bool check_mode(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return true; // it could be read before
    if (file_is_secret(st.st_mode, st.st_uid))
        return true;
    err_set(err, ERR_INPUT,
            "%s is secret, but others on this machine can read it: run "
            "`chmod 600 %s`, and make a new one if somebody did",
            FILE_SHOWN(path, 65), FILE_SHOWN(path, 65));
    return false;
}

bool key_read(const char *path, struct key *out, struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    bool ok = false;

    *out = KEY_EMPTY;
    if (!file_read(path, &text, err))
        goto out;
    buf_append(&text, "", 1);
    if (text.failed) {
        err_set(err, ERR_INPUT, "%s is too long for a key",
                FILE_SHOWN(path, 150));
        goto out;
    }
    set_name(path, out);
    ok = read_lines(text.data, path, out, err) &&
         (out->secret[0] == '\0' || check_mode(path, err));

out:
    if (text.data != NULL)
        sodium_memzero(text.data, text.len);
    buf_release(&text);
    if (!ok)
        key_wipe(out);
    return ok;
}

bool key_is_file(const char *name, const char *ending)
{
    return name[0] != '.' && strlen(name) > strlen(ending) &&
           text_ends_with(name, ending);
}
