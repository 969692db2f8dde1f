#include "simulated/sim_task.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/json.h"

enum { TASK_MAX_BYTES = 64 << 20, SCHEMA_MAX_BYTES = 1 << 20 };

struct slot {
    struct hash key;
    struct sim_task *task; // one reference; NULL: free
    uint64_t used;         // when last used, by the store's counter
};

struct sim_task_store {
    pthread_mutex_t lock;
    struct slot *slots;
    size_t n;
    uint64_t now;
};

static void free_task(struct sim_task *task)
{
    if (task == NULL)
        return;
    arena_release(&task->arena);
    json_decref(task->schema);
    free(task);
}

// ---- analysis

static bool weigh(struct sim_task *task)
{
    const struct sim_prompt *prompt = &task->prompt;
    size_t most = prompt->n_demos + 1;
    for (size_t i = 0; i < prompt->n_outputs; i++)
        most += 2 * task->labels[i].n;
    const struct sim_bag **bags = calloc(most, sizeof *bags);
    if (bags == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < prompt->n_demos; i++)
        bags[n++] = &task->demos[i];
    for (size_t i = 0; i < prompt->n_outputs; i++)
        sim_label_documents(&task->labels[i], bags, &n);
    task->idf = sim_bag_idf(&task->arena, bags, n);
    task->default_weight = log(1.0 + ((double)n + 1.0) / 0.5);
    free(bags);
    if (task->idf.items == NULL)
        return false;
    for (size_t i = 0; i < prompt->n_demos; i++)
        sim_bag_weigh(&task->demos[i], &task->idf, task->default_weight);
    for (size_t i = 0; i < prompt->n_outputs; i++)
        sim_label_weigh(&task->labels[i], &task->idf, task->default_weight,
                        task->demos, prompt->n_demos);
    return true;
}

// Demos show the form of an answer best; words that ask for it help too.
static double judge_hints(const struct sim_prompt *prompt)
{
    static const char *const WORDS[] = {"exactly", "format", "only",
                                        "structure", "marker"};
    double words = 0;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        words += sim_has_word(prompt->instruction, WORDS[i]);
    double shown = 1.0 - exp(-(double)prompt->n_demos / 1.5);
    return fmin(1.0, 0.85 * shown + 0.1 * words);
}

static bool analyse(struct sim_task *task, struct err *err)
{
    const struct sim_prompt *prompt = &task->prompt;
    task->demos =
        arena_array(&task->arena, prompt->n_demos, sizeof *task->demos);
    if (task->demos == NULL)
        goto nomem;
    for (size_t i = 0; i < prompt->n_demos; i++) {
        const char *input = prompt->demos[i].input;
        task->demos[i] = sim_bag_new(&task->arena, input, strlen(input));
    }
    for (size_t i = 0; i < prompt->n_outputs; i++)
        if (!sim_label_read(&task->labels[i], &task->arena, prompt, i, err))
            return false;
    if (!weigh(task))
        goto nomem;
    task->hints = judge_hints(prompt);
    return true;

nomem:
    err_nomem(err, "a prompt");
    return false;
}

static struct sim_task *make_task(const struct sim_message *messages, size_t n,
                                  const json_t *schema, bool json,
                                  struct err *err)
{
    struct sim_task *task = calloc(1, sizeof *task);
    if (task == NULL) {
        err_nomem(err, "a prompt");
        return NULL;
    }
    task->arena = ARENA_INIT(TASK_MAX_BYTES);
    task->refs = 1;
    task->schema = schema == NULL ? NULL : json_deep_copy(schema);
    if ((schema != NULL && task->schema == NULL) ||
        !sim_prompt_read(&task->prompt, &task->arena, messages, n, task->schema,
                         json, err) ||
        !analyse(task, err)) {
        free_task(task);
        return NULL;
    }
    return task;
}

// ---- the store

struct sim_task_store *sim_task_store_new(size_t max_tasks)
{
    struct sim_task_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->slots = calloc(max_tasks, sizeof *store->slots);
    store->n = max_tasks;
    if (store->slots == NULL || pthread_mutex_init(&store->lock, NULL) != 0) {
        free(store->slots);
        free(store);
        return NULL;
    }
    return store;
}

void sim_task_store_free(struct sim_task_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->n; i++)
        free_task(store->slots[i].task);
    pthread_mutex_destroy(&store->lock);
    free(store->slots);
    free(store);
}

static bool key_of(const struct sim_message *messages, size_t n,
                   const json_t *schema, bool json, struct hash *key)
{
    struct hasher hasher;
    hasher_init(&hasher, "simulated prefix");
    hasher_add_int(&hasher, json);
    for (size_t i = 0; i < n; i++) {
        hasher_add_text(&hasher, messages[i].role);
        hasher_add(&hasher, messages[i].content, messages[i].len);
    }
    struct buf text = BUF_INIT(SCHEMA_MAX_BYTES);
    if (schema != NULL)
        json_put(&text, schema);
    hasher_add(&hasher, text.data == NULL ? "" : text.data, text.len);
    bool ok = !text.failed;
    buf_release(&text);
    *key = hasher_end(&hasher);
    return ok;
}

// Returns the slot with this key, or NULL. Call with the lock held.
static struct slot *find_slot(struct sim_task_store *store,
                              const struct hash *key)
{
    for (size_t i = 0; i < store->n; i++)
        if (store->slots[i].task != NULL &&
            hash_equal(&store->slots[i].key, key))
            return &store->slots[i];
    return NULL;
}

// Empties and returns the least recently used slot. Call with the lock held.
static struct slot *free_slot(struct sim_task_store *store)
{
    struct slot *oldest = &store->slots[0];
    for (size_t i = 1; i < store->n; i++)
        if (store->slots[i].used < oldest->used)
            oldest = &store->slots[i];
    if (oldest->task != NULL && --oldest->task->refs == 0)
        free_task(oldest->task);
    oldest->task = NULL;
    return oldest;
}

struct sim_task *sim_task_get(struct sim_task_store *store,
                              const struct sim_message *messages, size_t n,
                              const json_t *schema, bool json, struct err *err)
{
    struct hash key;
    bool keyed = key_of(messages, n, schema, json, &key);

    pthread_mutex_lock(&store->lock);
    struct slot *slot = keyed ? find_slot(store, &key) : NULL;
    struct sim_task *task = slot == NULL ? NULL : slot->task;
    if (task != NULL) {
        task->refs++;
        slot->used = ++store->now;
    }
    pthread_mutex_unlock(&store->lock);
    if (task != NULL)
        return task;

    task = make_task(messages, n, schema, json, err);
    if (task == NULL || !keyed)
        return task;
    pthread_mutex_lock(&store->lock);
    if (find_slot(store, &key) == NULL) {
        slot = free_slot(store);
        *slot = (struct slot){key, task, ++store->now};
        task->refs++;
    }
    pthread_mutex_unlock(&store->lock);
    return task;
}

void sim_task_put(struct sim_task_store *store, struct sim_task *task)
{
    if (task == NULL)
        return;
    pthread_mutex_lock(&store->lock);
    bool last = --task->refs == 0;
    pthread_mutex_unlock(&store->lock);
    if (last)
        free_task(task);
}
