#include "simulated/sim_exchange.h"

#include <string.h>
#include <time.h>

#include "common/clock.h"

void sim_put_text(struct buf *out, const char *text)
{
    buf_put_json(out, text, strlen(text));
}

void sim_put_now(struct buf *out)
{
    int64_t ms = clock_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char text[32] = "";
    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(out, "\"%s.%03dZ\"", text, (int)(ms % 1000));
}

void sim_fail(struct sim_exchange *exchange, enum sim_api api, unsigned status,
              const char *text)
{
    struct buf *out = &exchange->reply;
    exchange->status = status;
    exchange->record.outcome = "refused";
    buf_clear(out);
    buf_puts(out, api == SIM_API_OPENAI ? "{\"error\": {\"message\": "
                                        : "{\"error\": ");
    sim_put_text(out, text);
    if (api == SIM_API_OPENAI)
        buf_printf(out, ", \"type\": \"%s\", \"param\": null, \"code\": null}",
                   status == 404  ? "not_found_error"
                   : status < 500 ? "invalid_request_error"
                                  : "api_error");
    buf_puts(out, "}");
}
