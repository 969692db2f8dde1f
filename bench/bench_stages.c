// bench_stages: CPU microseconds that each stage of a call costs.
//
//   bench_stages [CALLS] [ROWS]
//
// Runs the same functions on the same data as bench_calls, one after the other,
// each for all calls. Their sum is less than what bench_calls shows, because
// there the stages share caches and wake each other up.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "coordinator/call_key.h"
#include "dispatch/dispatch.h"
#include "load.h"
#include "program/graph/plan.h"
#include "program/job/dataset_load.h"
#include "program/job/job.h"
#include "program/metric/metric.h"
#include "program/prompt/reply.h"
#include "program/run/stepper.h"
#include "rig.h"
#include "store/calls.h"
#include "store/history.h"
#include "wire/socket.h"

enum { DEMOS = 6, IN_FLIGHT = 512, ARENA_BYTES = 1 << 24 };

// Everything that a call needs, made once.
struct bench {
    struct load load;
    struct job *job;
    struct bundle *bundle;
    struct dataset *dataset;
    json_t **fields, **inputs; // of the rows to score on
    struct split split;
    struct plan plan;
    struct candidate *candidate;
    struct buf prefix;
    struct buf *tails; // one per row
    struct hash prefix_hash;
    struct call_key_prefix begun;
    char (*replies)[LOAD_REPLY_BYTES]; // one per row
    size_t n;                          // rows
    size_t calls;
};

static struct err err;

static void need(bool ok)
{
    if (!ok)
        die(&err);
}

static const struct step *only_step(const struct bench *bench)
{
    return &bench->job->program->steps[0];
}

static const json_t *fields_of(const struct bench *bench, size_t i)
{
    return bench->fields[i % bench->n];
}

static json_t *inputs_of(const struct bench *bench, size_t i)
{
    return bench->inputs[i % bench->n];
}

// --- preparing ---

static void load_job(struct bench *bench)
{
    struct diags *diags = diags_new(&err);

    need(diags != NULL);
    bench->bundle = load_bundle(&bench->load);
    bench->job = job_load(bench->bundle, NULL, 0, diags);
    need(bench->job != NULL || diags_ok(diags, &err));
    bench->dataset = dataset_load(bench->job, bench->bundle, diags);
    need(bench->dataset != NULL || diags_ok(diags, &err));
    need(split_make(bench->job, bench->dataset, &bench->split, diags) ||
         diags_ok(diags, &err));
    plan_all(bench->job->program, &bench->plan);
    diags_free(diags);
}

static void make_candidate(struct bench *bench)
{
    struct demo demos[DEMOS];

    for (int i = 0; i < DEMOS; i++)
        demos[i] = (struct demo){
            .fields = dataset_fields(bench->dataset, (size_t)i), .row = i};
    bench->candidate = candidate_new(bench->job->program, &err);
    need(bench->candidate != NULL &&
         candidate_set_demos(bench->candidate, 0, 1, demos, DEMOS, &err));
    candidate_seal(bench->candidate);
    for (int i = 0; i < DEMOS; i++)
        json_decref(demos[i].fields);
}

static void take_rows(struct bench *bench)
{
    const size_t *rows = bench->split.rows[SHARE_VAL];

    bench->fields = calloc(bench->n, sizeof *bench->fields);
    bench->inputs = calloc(bench->n, sizeof *bench->inputs);
    need(bench->fields != NULL && bench->inputs != NULL);
    for (size_t i = 0; i < bench->n; i++) {
        bench->fields[i] = dataset_fields(bench->dataset, rows[i]);
        bench->inputs[i] = dataset_inputs(bench->dataset, rows[i]);
        need(bench->fields[i] != NULL && bench->inputs[i] != NULL);
    }
}

static void render_all(struct bench *bench)
{
    const struct step *step = only_step(bench);

    bench->prefix = BUF_INIT(PROMPT_MAX_BYTES);
    need(prompt_prefix(step, &bench->candidate->parts[0], ADAPTER_CHAT,
                       &bench->prefix, &err));
    bench->prefix_hash =
        hash_of("prefix", bench->prefix.data, bench->prefix.len);
    call_key_begin(&bench->begun, bench->prefix.data, bench->prefix.len);
    bench->tails = calloc(bench->n, sizeof *bench->tails);
    bench->replies = calloc(bench->n, sizeof *bench->replies);
    if (bench->tails == NULL || bench->replies == NULL)
        abort();
    for (size_t i = 0; i < bench->n; i++) {
        bench->tails[i] = BUF_INIT(PROMPT_MAX_BYTES);
        need(
            prompt_question(step, inputs_of(bench, i), &bench->tails[i], &err));
        load_reply(bench->tails[i].data, bench->tails[i].len,
                   bench->replies[i]);
    }
}

static struct call_request request_of(const struct bench *bench, size_t i)
{
    const struct buf *tail = &bench->tails[i % bench->n];

    return (struct call_request){.model = LOAD_MODEL,
                                 .prefix = bench->prefix.data,
                                 .prefix_len = bench->prefix.len,
                                 .tail = tail->data,
                                 .tail_len = tail->len,
                                 .options =
                                     bench->job->models[ROLE_STUDENT].options};
}

static struct call_answer answer_of(const struct bench *bench, size_t i)
{
    char *text = bench->replies[i % bench->n];

    return (struct call_answer){.text = text,
                                .text_len = strlen(text),
                                .prompt_tokens = 1000,
                                .generated_tokens = 60,
                                .total_us = 1};
}

// Makes a different key for each call: the replicate is the call's number.
static struct hash key_for(const struct bench *bench, size_t i)
{
    struct call_request request = request_of(bench, i);

    return call_key(&bench->begun, "digest", &request, (int32_t)i);
}

// --- stages on one thread ---

static void render_tails(struct bench *bench)
{
    struct buf out = BUF_INIT(PROMPT_MAX_BYTES);

    for (size_t i = 0; i < bench->calls; i++) {
        buf_clear(&out);
        need(
            prompt_question(only_step(bench), inputs_of(bench, i), &out, &err));
    }
    buf_release(&out);
}

static void make_keys(struct bench *bench)
{
    unsigned seen = 0;

    for (size_t i = 0; i < bench->calls; i++)
        seen += key_for(bench, i).bytes[0];
    if (seen == 0)
        abort();
}

static void read_reply(struct bench *bench, const char *text, json_t **outputs,
                       unsigned *lenient)
{
    const struct reply_asked asked = {
        .step = only_step(bench), .adapter = ADAPTER_CHAT, .reads = UINT64_MAX};

    need(reply_parse(&asked, (struct span){text, strlen(text)}, outputs,
                     lenient, &err));
}

static void parse_replies(struct bench *bench)
{
    for (size_t i = 0; i < bench->calls; i++) {
        const char *text = bench->replies[i % bench->n];
        json_t *outputs = NULL;
        unsigned lenient = 0;

        read_reply(bench, text, &outputs, &lenient);
        json_decref(outputs);
    }
}

static void score_answers(struct bench *bench)
{
    const char *text = bench->replies[0];
    json_t *outputs = NULL;
    unsigned lenient = 0;

    read_reply(bench, text, &outputs, &lenient);
    for (size_t i = 0; i < bench->calls; i++) {
        struct score score = {0};

        need(metric_score(bench->job->metric,
                          &(struct metric_case){.example = fields_of(bench, i),
                                                .outputs = outputs},
                          &score, &err));
        score_release(&score);
    }
    json_decref(outputs);
}

static void step_examples(struct bench *bench)
{
    for (size_t i = 0; i < bench->calls; i++) {
        struct call_answer answer = answer_of(bench, i);
        struct ask ask;
        struct stepper *stepper =
            stepper_new(bench->job->program, &bench->plan, ADAPTER_CHAT, NULL,
                        inputs_of(bench, i), &err);

        need(stepper != NULL && stepper_next(stepper, &ask, &err) &&
             stepper_answer(stepper, ask.part, &answer, &err));
        stepper_free(stepper);
    }
}

// --- dispatch ---

static void queue_call(struct dispatch *dispatch, size_t i)
{
    struct dispatch_call call = {.id = (int64_t)i + 1,
                                 .job = 1,
                                 .model = 1,
                                 .trial = (int64_t)i / LOAD_ROWS,
                                 .group = (int64_t)i / LOAD_ROWS,
                                 .timeout_ms = 60000};

    need(dispatch_queue(dispatch, &call, 1, &err));
}

// Queues, sends, finishes and credits a window of calls at a time.
static void place_calls(struct bench *bench)
{
    struct dispatch *dispatch =
        dispatch_new(&(struct dispatch_config){.hedge = true}, &err);

    need(dispatch != NULL &&
         dispatch_join(dispatch, 1, IN_FLIGHT / 2, 1, &err) &&
         dispatch_join(dispatch, 2, IN_FLIGHT / 2, 1, &err) &&
         dispatch_serves(dispatch, 1, 1, &err) &&
         dispatch_serves(dispatch, 2, 1, &err));
    for (size_t i = 0; i < bench->calls; i += IN_FLIGHT) {
        struct action out[IN_FLIGHT];
        size_t n = 0;
        int64_t call = 0;

        for (size_t k = 0; k < IN_FLIGHT; k++)
            queue_call(dispatch, i + k);
        while (n < IN_FLIGHT && dispatch_next(dispatch, 1, &out[n]))
            n++;
        for (size_t k = 0; k < n; k++) {
            if (!dispatch_done(dispatch, out[k].worker, out[k].lease, 1, &call))
                abort();
            dispatch_credit(dispatch, out[k].worker, out[k].lease, 1);
        }
    }
    dispatch_free(dispatch);
}

// --- wire ---

static void encode_calls(struct bench *bench)
{
    struct buf out = BUF_INIT(WIRE_MAX_BYTES);

    for (size_t i = 0; i < bench->calls; i++) {
        struct message message = {.kind = MESSAGE_CALL};

        message.as.call =
            (struct call_message){.id = (int64_t)i + 1,
                                  .timeout_ms = 60000,
                                  .digest = "digest",
                                  .request = request_of(bench, i)};
        buf_clear(&out);
        need(message_encode(&message, &out, &err));
    }
    buf_release(&out);
}

static void decode_answers(struct bench *bench)
{
    struct buf out = BUF_INIT(WIRE_MAX_BYTES);
    struct arena arena = ARENA_INIT(ARENA_BYTES);
    struct message message = {.kind = MESSAGE_ANSWER};

    message.as.answer.id = 1;
    message.as.answer.answer = answer_of(bench, 0);
    need(message_encode(&message, &out, &err));
    for (size_t i = 0; i < bench->calls; i++) {
        need(message_decode(out.data, out.len, &arena, &message, &err));
        arena_release(&arena);
    }
    buf_release(&out);
}

struct echo {
    void *zmq;
    size_t calls;
};

// The other end of pass_frames: returns short frames for long ones.
static void *echo_frames(void *user)
{
    struct echo *echo = user;
    void *socket = zmq_socket(echo->zmq, ZMQ_DEALER);
    char frame[8192];
    char answer[300] = "answer";

    if (socket == NULL || zmq_connect(socket, "inproc://echo") != 0)
        abort();
    (void)zmq_send(socket, answer, 1, 0);
    for (size_t i = 0; i < echo->calls; i++) {
        (void)zmq_recv(socket, frame, sizeof frame, 0);
        (void)zmq_send(socket, answer, sizeof answer, 0);
    }
    (void)zmq_close(socket);
    return NULL;
}

static void take_frame(void *router, char *id, size_t *id_len)
{
    char frame[512];

    *id_len = (size_t)zmq_recv(router, id, 64, 0);
    (void)zmq_recv(router, frame, sizeof frame, 0);
}

// Sends frames from ROUTER to DEALER and back over inproc, without our
// messages: the CPU of the ROUTER's thread only.
static void pass_frames(struct bench *bench)
{
    struct echo echo = {.zmq = zmq_ctx_new(), .calls = bench->calls};
    void *router = zmq_socket(echo.zmq, ZMQ_ROUTER);
    static char frame[4400];
    char id[64];
    size_t id_len = 0;
    size_t sent = 0;
    pthread_t thread;

    if (router == NULL || zmq_bind(router, "inproc://echo") != 0 ||
        pthread_create(&thread, NULL, echo_frames, &echo) != 0)
        abort();
    take_frame(router, id, &id_len);
    for (size_t back = 0; back < bench->calls; back++) {
        for (; sent < bench->calls && sent < back + IN_FLIGHT; sent++) {
            (void)zmq_send(router, id, id_len, ZMQ_SNDMORE);
            (void)zmq_send(router, frame, sizeof frame, 0);
        }
        take_frame(router, id, &id_len);
    }
    (void)pthread_join(thread, NULL);
    (void)zmq_close(router);
    (void)zmq_ctx_term(echo.zmq);
}

// --- store ---

static void put_call(struct bench *bench, struct store *store, int64_t job_no,
                     int64_t prefix_id, size_t i)
{
    struct call_request request = request_of(bench, i);
    struct call_answer answer = answer_of(bench, i);
    struct call_put put = {.key = key_for(bench, i),
                           .job_no = job_no,
                           .role = "student",
                           .purpose = "trial",
                           .step = "sort",
                           .prefix_id = prefix_id,
                           .model = LOAD_MODEL,
                           .digest = "digest",
                           .options = "{}",
                           .tail = request.tail,
                           .tail_len = request.tail_len,
                           .answer = &answer,
                           .worker = "null-1",
                           .attempts = 1,
                           .finished_ms = clock_wall_ms()};
    struct history_evaluation row = {
        .candidate_id = 1, .row = (int32_t)i, .score = 1, .n_calls = 1};

    row.calls[0] = calls_put(store, &put, &err);
    need(row.calls[0] != 0 &&
         history_put_evaluation(store, job_no, &row, &err));
}

static void put_rows(struct bench *bench)
{
    struct rig_folder folder;
    struct history_job job = {
        .id = "bench", .name = "bench", .path = "job.yaml", .canonical = "{}"};
    bool created = false;

    rig_folder_make(&folder);
    struct store *store = store_open(folder.store, &err);
    need(store != NULL);
    int64_t job_no = history_open_job(store, &job, &created, &err);
    int64_t prefix_id =
        calls_prefix(store, &bench->prefix_hash, bench->prefix.data,
                     bench->prefix.len, &err);
    need(job_no != 0 && prefix_id != 0);
    for (size_t i = 0; i < bench->calls; i++)
        put_call(bench, store, job_no, prefix_id, i);
    need(store_flush(store, &err));
    store_close(store);
    rig_folder_remove(&folder);
}

// --- the table ---

static const struct stage {
    const char *name;
    void (*run)(struct bench *bench);
    bool threads; // also print the CPU of a second thread
} stages[] = {
    {"render the question", render_tails, false},
    {"call key", make_keys, false},
    {"stepper: render, parse, settle", step_examples, false},
    {"  of that: parse the reply", parse_replies, false},
    {"metric", score_answers, false},
    {"dispatch: queue, send, done, credit", place_calls, false},
    {"wire: encode the call", encode_calls, false},
    {"wire: decode the answer", decode_answers, false},
    {"zmq: 4 KB out, 300 B back, inproc", pass_frames, true},
    {"store: put call and evaluation, key", put_rows, true},
};

static void measure(struct bench *bench, const struct stage *stage)
{
    double us = 1e6 / (double)bench->calls;
    double thread = thread_cpu_s();
    double process = process_cpu_s();

    stage->run(bench);
    thread = thread_cpu_s() - thread;
    process = process_cpu_s() - process;
    printf("%-38s %7.2f", stage->name, thread * us);
    if (stage->threads)
        printf("   %7.2f", (process - thread) * us);
    printf("\n");
}

int main(int argc, char **argv)
{
    struct bench bench = {.calls = argument(argc, argv, 1, LOAD_CALLS)};

    load_make(&bench.load, bench.calls, argument(argc, argv, 2, LOAD_ROWS));
    load_job(&bench);
    bench.n = bench.split.n[SHARE_VAL];
    take_rows(&bench);
    make_candidate(&bench);
    render_all(&bench);
    printf("us a call, prompt of %zu bytes     loop     other thread\n",
           bench.prefix.len + bench.tails[0].len);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        measure(&bench, &stages[i]);
    for (size_t i = 0; i < bench.n; i++) {
        buf_release(&bench.tails[i]);
        json_decref(bench.fields[i]);
        json_decref(bench.inputs[i]);
    }
    free(bench.fields);
    free(bench.inputs);
    free(bench.tails);
    free(bench.replies);
    buf_release(&bench.prefix);
    candidate_unref(bench.candidate);
    split_release(&bench.split);
    dataset_free(bench.dataset);
    job_free(bench.job);
    bundle_free(bench.bundle);
    load_release(&bench.load);
    return EXIT_SUCCESS;
}
