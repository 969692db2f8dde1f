#include "simulated/sim_shape.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/sim_span.h"

enum { SHAPE_MAX = 32 };

static bool is_token(char c)
{
    return c != '\0' && !isspace((unsigned char)c) &&
           strchr(",;()<>\"'!?", c) == NULL;
}

static bool next_token(const char **at, struct sim_span *token)
{
    const char *p = *at;
    while (*p != '\0' && !is_token(*p))
        p++;
    if (*p == '\0')
        return false;
    const char *start = p;
    while (is_token(*p))
        p++;
    size_t len = (size_t)(p - start);
    while (len > 1 && (start[len - 1] == '.' || start[len - 1] == ':'))
        len--;
    *token = (struct sim_span){start, len};
    *at = p;
    return true;
}

static size_t count_digits(struct sim_span token)
{
    size_t n = 0;
    for (size_t i = 0; i < token.len; i++)
        n += isdigit((unsigned char)token.at[i]) != 0;
    return n;
}

static bool is_email(struct sim_span token)
{
    const char *at = memchr(token.at, '@', token.len);
    return at != NULL && at > token.at &&
           memchr(at, '.', token.len - (size_t)(at - token.at)) != NULL;
}

static bool is_url(struct sim_span token)
{
    return token.len > 8 && (strncmp(token.at, "http", 4) == 0 ||
                             strncmp(token.at, "www.", 4) == 0);
}

static bool is_date(struct sim_span token)
{
    size_t marks = 0;
    for (size_t i = 0; i < token.len; i++)
        marks += strchr("-/.", token.at[i]) != NULL;
    return marks == 2 && count_digits(token) >= 4 &&
           count_digits(token) + marks == token.len;
}

static bool is_amount(struct sim_span token)
{
    bool money = token.at[0] == '$' || (unsigned char)token.at[0] >= 0x80 ||
                 memchr(token.at, '.', token.len) != NULL;
    return money && count_digits(token) > 0;
}

static bool is_phone(struct sim_span token)
{
    return count_digits(token) >= 7 && !is_date(token) && !is_email(token);
}

static bool is_id(struct sim_span token)
{
    return count_digits(token) >= 3 && token.len <= 40 && !is_date(token) &&
           !is_email(token) && !is_url(token) && !is_amount(token);
}

// "AB-12" and "XYZ-7" have the same shape, "A-9".
static void shape_of(struct sim_span token, char shape[SHAPE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < token.len && n + 1 < SHAPE_MAX; i++) {
        unsigned char c = (unsigned char)token.at[i];
        char kind = (char)(isdigit(c)   ? '9'
                           : isupper(c) ? 'A'
                           : isalpha(c) ? 'a'
                                        : (char)c);
        if (n == 0 || shape[n - 1] != kind)
            shape[n++] = kind;
    }
    shape[n] = '\0';
}

const char *sim_shape_find(struct arena *arena, const char *text,
                           enum sim_shape shape)
{
    static bool (*const fits[])(struct sim_span) = {
        [SIM_EMAIL] = is_email,   [SIM_URL] = is_url,     [SIM_DATE] = is_date,
        [SIM_AMOUNT] = is_amount, [SIM_PHONE] = is_phone, [SIM_ID] = is_id,
    };
    struct sim_span token;
    while (next_token(&text, &token))
        if (fits[shape](token))
            return arena_strndup(arena, token.at, token.len);
    return "";
}

const char *sim_shape_alike(struct arena *arena, const char *text,
                            const char *value)
{
    char wanted[SHAPE_MAX];
    char found[SHAPE_MAX];
    struct sim_span token;
    shape_of((struct sim_span){value, strlen(value)}, wanted);
    while (next_token(&text, &token)) {
        shape_of(token, found);
        if (strcmp(wanted, found) == 0)
            return arena_strndup(arena, token.at, token.len);
    }
    return NULL;
}

bool sim_shape_number(const char *text, double *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at))
            continue;
        *out = strtod(at, NULL);
        return isfinite(*out);
    }
    return false;
}
