#include "simulation/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/hash.h"
#include "common/map.h"
#include "simulation/servers.h"

static const char calls_sql[] =
    "SELECT c.id, c.key, c.outcome, coalesce(p.text, ''),"
    " coalesce(q.text, t.tail), t.reply,"
    " json_extract(k.options, '$.seed')"
    " FROM calls c JOIN call_texts t ON t.id = c.id"
    " JOIN call_kinds k ON k.id = c.kind_id"
    " LEFT JOIN prefixes p ON p.id = c.prefix_id"
    " LEFT JOIN questions q ON q.id = t.question_id"
    " WHERE c.id > ?1 ORDER BY c.id";
static const char evaluations_sql[] =
    "SELECT e.id, j.id, c.hash, e.row, e.replicate,"
    " printf('%d %d %d %.17g', e.outcome, e.repairs, e.lenient, e.score)"
    " FROM evaluations e JOIN candidates c ON c.id = e.candidate_id"
    " JOIN jobs j ON j.no = e.job_no"
    " WHERE e.id > ?1 ORDER BY e.id";
static const char trials_sql[] =
    "SELECT 0, j.id, c.hash, t.number, 0,"
    " printf('%s %s %.17g %d %d %d', t.kind, t.state, t.score, t.n, t.calls,"
    " t.tokens)"
    " FROM trials t JOIN candidates c ON c.id = t.candidate_id"
    " JOIN jobs j ON j.no = t.job_no"
    " ORDER BY t.job_no, t.number";

// What the undisturbed runs of all jobs found, by the hash of what it is about.
static struct map learned;
static struct map learned_trials;

struct judge {
    bool learns;
    sqlite3 *db;
    sqlite3_stmt *calls, *evaluations;
    int64_t last_call, last_evaluation;
    struct map by_key;   // hash of the row; owned
    struct map requests; // those whose answer is durable
    struct map gists;    // hash of the texts in durable answers
    struct map found;    // evaluations
    bool again;          // reads the store from its first row again
    int64_t n_calls, n_again;
    char what[400];
};

struct judge *judge_new(bool learns)
{
    struct judge *judge = calloc(1, sizeof *judge);

    if (judge == NULL)
        abort();
    judge->learns = learns;
    return judge;
}

static void free_values(struct map *map)
{
    size_t at = 0;
    struct hash key;
    void *value;

    while (map_next(map, &at, &key, &value))
        free(value);
    map_release(map);
}

void judge_free(struct judge *judge)
{
    judge_close(judge);
    free_values(&judge->by_key);
    map_release(&judge->requests);
    map_release(&judge->gists);
    map_release(&judge->found);
    free(judge);
}

void judge_close(struct judge *judge)
{
    (void)sqlite3_finalize(judge->calls);
    (void)sqlite3_finalize(judge->evaluations);
    (void)sqlite3_close(judge->db);
    judge->calls = judge->evaluations = NULL;
    judge->db = NULL;
}

static const char *say(struct judge *judge, const char *what)
{
    (void)snprintf(judge->what, sizeof judge->what, "%s (%s)", what,
                   judge->db == NULL ? "no store" : sqlite3_errmsg(judge->db));
    return judge->what;
}

static void put(struct map *map, const struct hash *key, void *value)
{
    if (!map_put(map, key, value))
        abort();
}

static struct hash blob(sqlite3_stmt *stmt, int column)
{
    struct hash hash = {{0}};
    int len = sqlite3_column_bytes(stmt, column);

    if (len > HASH_BYTES)
        len = HASH_BYTES;
    if (len > 0)
        memcpy(hash.bytes, sqlite3_column_blob(stmt, column), (size_t)len);
    return hash;
}

static const char *text(sqlite3_stmt *stmt, int column)
{
    const unsigned char *found = sqlite3_column_text(stmt, column);

    return found == NULL ? "" : (const char *)found;
}

// --- calls ---

// Finds a phrase like "A garden word, 123" in a text: one step answers with it,
// and the next step's question contains it.
static bool find_gist(const char *text, size_t len, struct hash *out)
{
    static const char mark[] = " word, ";
    size_t n = sizeof mark - 1;

    for (size_t i = 0; i + n < len; i++) {
        size_t first = i;
        size_t end = i + n;

        if (text[i] != ' ' || memcmp(text + i, mark, n) != 0)
            continue;
        while (first > 0 && text[first - 1] != ' ')
            first--;
        while (end < len && text[end] >= '0' && text[end] <= '9')
            end++;
        *out = hash_of("gist", text + first, end - first);
        return true;
    }
    return false;
}

static const char *check_answer(struct judge *judge, sqlite3_stmt *stmt)
{
    const char *prefix = text(stmt, 3);
    const char *tail = text(stmt, 4);
    int64_t seed = sqlite3_column_int64(stmt, 6);
    struct hash gist;
    struct hash request =
        servers_request(prefix, strlen(prefix), tail, strlen(tail), seed);
    struct call_answer answer =
        servers_answer(prefix, strlen(prefix), tail, strlen(tail), seed);
    bool right = sqlite3_column_int(stmt, 2) == (int)answer.outcome &&
                 strcmp(answer.text, text(stmt, 5)) == 0;

    free(answer.text);
    put(&judge->requests, &request, judge);
    if (find_gist(text(stmt, 5), strlen(text(stmt, 5)), &gist))
        put(&judge->gists, &gist, judge);
    if (right)
        return NULL;
    (void)snprintf(judge->what, sizeof judge->what,
                   "call %lld has an answer that no model gave it",
                   sqlite3_column_int64(stmt, 0));
    return judge->what;
}

static const char *check_once(struct judge *judge, sqlite3_stmt *stmt)
{
    struct hash key = blob(stmt, 1);
    int64_t id = sqlite3_column_int64(stmt, 0);
    int64_t *known = map_find(&judge->by_key, &key);

    if (known == NULL) {
        known = malloc(sizeof *known);
        if (known == NULL)
            abort();
        *known = id;
        put(&judge->by_key, &key, known);
        judge->n_calls++;
        judge->n_again += judge->again;
        return NULL;
    }
    if (*known == id && judge->again) {
        judge->n_again++;
        return NULL;
    }
    (void)snprintf(judge->what, sizeof judge->what,
                   "call %" PRId64 " was answered before, as call %" PRId64, id,
                   *known);
    return judge->what;
}

static const char *look_at_calls(struct judge *judge)
{
    const char *wrong = NULL;
    int rc = SQLITE_DONE;

    (void)sqlite3_bind_int64(judge->calls, 1, judge->last_call);
    while (wrong == NULL && (rc = sqlite3_step(judge->calls)) == SQLITE_ROW) {
        judge->last_call = sqlite3_column_int64(judge->calls, 0);
        wrong = check_once(judge, judge->calls);
        if (wrong == NULL)
            wrong = check_answer(judge, judge->calls);
    }
    (void)sqlite3_reset(judge->calls);
    return wrong;
}

// --- evaluations and trials ---

static struct hash row_key(sqlite3_stmt *stmt)
{
    struct hash candidate = blob(stmt, 2);
    struct hasher hasher;

    hasher_init(&hasher, "row");
    hasher_add_text(&hasher, text(stmt, 1));
    hasher_add_hash(&hasher, &candidate);
    hasher_add_int(&hasher, sqlite3_column_int64(stmt, 3));
    hasher_add_int(&hasher, sqlite3_column_int64(stmt, 4));
    return hasher_end(&hasher);
}

static const char *compare(struct judge *judge, struct map *all,
                           sqlite3_stmt *stmt, const char *what)
{
    struct hash key = row_key(stmt);
    const char *found = text(stmt, 5);
    const char *known = map_find(all, &key);

    put(&judge->found, &key, judge);
    if (known == NULL && judge->learns) {
        char *copy = strdup(found);

        if (copy == NULL)
            abort();
        put(all, &key, copy);
        return NULL;
    }
    if (known != NULL && strcmp(known, found) == 0)
        return NULL;
    (void)snprintf(judge->what, sizeof judge->what,
                   "%s %lld of row %lld is '%s', undisturbed '%s'", what,
                   sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 3),
                   found, known == NULL ? "nothing" : known);
    return judge->what;
}

static const char *look_at_evaluations(struct judge *judge)
{
    const char *wrong = NULL;

    (void)sqlite3_bind_int64(judge->evaluations, 1, judge->last_evaluation);
    while (wrong == NULL && sqlite3_step(judge->evaluations) == SQLITE_ROW) {
        judge->last_evaluation = sqlite3_column_int64(judge->evaluations, 0);
        wrong = compare(judge, &learned, judge->evaluations, "evaluation");
    }
    (void)sqlite3_reset(judge->evaluations);
    return wrong;
}

const char *judge_look(struct judge *judge)
{
    const char *wrong = judge->db == NULL ? NULL : look_at_calls(judge);

    if (wrong == NULL && judge->db != NULL)
        wrong = look_at_evaluations(judge);
    return wrong;
}

const char *judge_open(struct judge *judge, const char *path)
{
    int64_t known = judge->n_calls;
    const char *wrong;

    if (sqlite3_open_v2(path, &judge->db, SQLITE_OPEN_READONLY, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(judge->db, calls_sql, -1, &judge->calls, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(judge->db, evaluations_sql, -1, &judge->evaluations,
                           NULL) != SQLITE_OK)
        return say(judge, "the store cannot be read");
    judge->last_call = judge->last_evaluation = judge->n_again = 0;
    judge->again = true;
    wrong = judge_look(judge);
    judge->again = false;
    if (wrong != NULL)
        return wrong;
    if (judge->n_again >= known)
        return NULL;
    (void)snprintf(judge->what, sizeof judge->what,
                   "%" PRId64 " durable answers are gone after a crash",
                   known - judge->n_again);
    return judge->what;
}

const char *judge_sent(struct judge *judge, const struct call_message *call)
{
    const struct call_request *request = &call->request;
    struct hash hash =
        servers_request(request->prefix, request->prefix_len, request->tail,
                        request->tail_len, request->options.seed);
    struct hash gist;

    if (map_find(&judge->requests, &hash) != NULL)
        return "a call whose answer is durable was sent again";
    if (find_gist(request->tail, request->tail_len, &gist) &&
        map_find(&judge->gists, &gist) == NULL)
        return "an answer was used before it was durable";
    return NULL;
}

const char *judge_end(struct judge *judge)
{
    const char *wrong = judge_look(judge);
    sqlite3_stmt *stmt = NULL;
    size_t n = 0;

    if (wrong != NULL)
        return wrong;
    if (sqlite3_prepare_v2(judge->db, trials_sql, -1, &stmt, NULL) != SQLITE_OK)
        return say(judge, "trials cannot be read");
    for (; wrong == NULL && sqlite3_step(stmt) == SQLITE_ROW; n++)
        wrong = compare(judge, &learned_trials, stmt, "trial");
    (void)sqlite3_finalize(stmt);
    if (wrong == NULL && n == 0)
        wrong = "no trials are stored";
    return wrong;
}

int64_t judge_calls(const struct judge *judge)
{
    return judge->n_calls;
}
