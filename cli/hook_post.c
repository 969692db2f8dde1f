#include "cli/hook.h"

#include <curl/curl.h>

#include "common/text.h"
#include "model/reach.h"

enum { POST_MS = 10000 };

static size_t ignore_reply(char *data, size_t size, size_t n, void *user)
{
    (void)data;
    (void)user;
    return size * n;
}

static int watch_the_end(void *user, curl_off_t a, curl_off_t b, curl_off_t c,
                         curl_off_t d)
{
    const struct hook_event *event = user;

    (void)a, (void)b, (void)c, (void)d;
    return event->is_late(event->user);
}

bool hook_post(const struct hook_event *event, const char *url,
               char why[HOOK_WHY_BYTES])
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;

    if (curl != NULL && headers != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)reach_set_up(curl, url, false);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, event->text);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)POST_MS);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_reply);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_the_end);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, event);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "promptcc/" PROMPTCC_VERSION);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (code != CURLE_OK)
        (void)text_print(why, HOOK_WHY_BYTES, "%s", curl_easy_strerror(code));
    else if (status >= 300)
        (void)text_print(why, HOOK_WHY_BYTES, "it answers %ld", status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code == CURLE_OK && status < 300;
}
