// Whatever a served program receives, as raw bytes or (if the first byte is
// odd) as the body of a request, it answers in HTTP or closes, and never with a
// failure of its own (500).

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "serve/serve.h"
#include "simulated/sim_server.h"
#include "talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A program with one input of each kind of value.
static const char program[] =
    "{\"sort\":{\"demos\":[],\"signature\":{\"instructions\":\"Sort.\","
    "\"fields\":[{\"prefix\":\"Text:\","
    "\"description\":\"text\"},{\"prefix\":\"Size:\",\"description\":\"size\"}"
    ",{\"prefix\":\"Share:\",\"description\":\"share\"},{\"prefix\":\"Is_New:"
    "\","
    "\"description\":\"is_new\"},{\"prefix\":\"Kind:\",\"description\":"
    "\"kind\"}"
    ",{\"prefix\":\"Names:\",\"description\":\"names\"},{\"prefix\":\"More:\","
    "\"description\":\"more\"},{\"prefix\":\"Label:\",\"description\":"
    "\"label\"}"
    "]},\"lm\":null},\"metadata\":{\"promptcc\":{\"format\":1,\"version\":\"0."
    "1.0\","
    "\"name\":\"fuzz\",\"models\":{\"student\":{\"name\":\"qwen2.5:0.5b\","
    "\"digest\":\"\","
    "\"options\":{\"num_ctx\":2048,\"num_predict\":60,\"temperature\":0}"
    "}},\"program\":{\"inputs\":{\"text\":{},\"size\":{\"type\":\"int\","
    "\"min\":0,"
    "\"max\":9},\"share\":{\"type\":\"float\",\"optional\":true},\"is_new\":{"
    "\"type\":\"bool\"}"
    ",\"kind\":{\"enum\":[\"a\",\"b\"]},\"names\":{\"list\":\"str\"},\"more\":{"
    "\"object\":{\"note\":{\"optional\":true}"
    ",\"n\":{\"type\":\"int\"}}}},\"steps\":{\"sort\":{\"predict\":\"Sort.\","
    "\"inputs\":[\"text\",\"size\",\"share\",\"is_new\",\"kind\",\"names\","
    "\"more\"],"
    "\"outputs\":{\"label\":{\"enum\":[\"x\",\"y\"]}}}},\"outputs\":{\"label\":"
    "\"sort.label\"}"
    "},\"adapter\":\"chat\"}}}";

static struct serve *start(void)
{
    static struct sim_options server = {.slots = 2};
    struct err err = ERR_CLEAR;
    struct serve_options options = {.slots = 2, .timeout_ms = 5000};
    struct sim_server *sim = sim_server_start(&server, &err);
    char url[64];

    log_set_level(LOG_SILENT);
    if (sim == NULL)
        abort();
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u",
                   (unsigned)sim_server_port(sim));
    options.compiled =
        compiled_read("compiled.json", program, strlen(program), &err);
    struct serve *serve = NULL;
    if (options.compiled != NULL &&
        model_address_parse("ollama", url, &options.model, &err) &&
        http_address_read("127.0.0.1:0", &options.address, &err))
        serve = serve_start(&options, &err);
    if (serve == NULL) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return serve;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct serve *serve;
    int status;

    if (serve == NULL)
        serve = start();
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        status = talk(serve_place(serve), data + 1, size - 1);
    else
        status = talk_post(serve_place(serve), "/predict", data + 1, size - 1);
    if (status == 500)
        abort();
    return 0;
}
