#include "simulated/sim_embed.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/hash.h"

enum { PIECE = 3, WORD_MAX_BYTES = 64 };

bool sim_embeds(const char *model)
{
    static const char *const NAMES[] = {"embed", "minilm", "bge-", "e5-"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strstr(model, NAMES[i]) != NULL)
            return true;
    return false;
}

// Returns true for a letter, a digit, or a byte of a character beyond ASCII.
static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c >= 128;
}

static void add_piece(const char *model, const char *piece,
                      double out[SIM_EMBED_SIZE])
{
    struct hasher hasher;
    hasher_init(&hasher, "simulated embedding");
    hasher_add_text(&hasher, model);
    hasher_add(&hasher, piece, PIECE);
    struct hash hash = hasher_end(&hasher);
    uint32_t number = 0;
    memcpy(&number, hash.bytes, sizeof number);
    out[number % SIM_EMBED_SIZE] += (number >> 31) != 0 ? 1 : -1;
}

// Adds the word, between its marks, in overlapping pieces.
static void add_word(const char *model, const char *word, size_t len,
                     double out[SIM_EMBED_SIZE])
{
    char marked[WORD_MAX_BYTES + 2] = "^";
    len = len < WORD_MAX_BYTES ? len : WORD_MAX_BYTES;
    for (size_t i = 0; i < len; i++)
        marked[i + 1] = word[i] >= 'A' && word[i] <= 'Z'
                            ? (char)(word[i] - 'A' + 'a')
                            : word[i];
    marked[len + 1] = '$';
    for (size_t i = 0; i + PIECE <= len + 2; i++)
        add_piece(model, marked + i, out);
}

static void normalise(double out[SIM_EMBED_SIZE])
{
    double sum = 0;
    for (size_t i = 0; i < SIM_EMBED_SIZE; i++)
        sum += out[i] * out[i];
    for (size_t i = 0; sum > 0 && i < SIM_EMBED_SIZE; i++)
        out[i] /= sqrt(sum);
    if (!(sum > 0))
        out[0] = 1; // a text without words gets some direction, as real models
                    // give it
}

void sim_embed(const char *model, const char *text, size_t len,
               double out[SIM_EMBED_SIZE])
{
    size_t begin = 0;
    memset(out, 0, SIM_EMBED_SIZE * sizeof *out);
    for (size_t i = 0; i <= len; i++) {
        if (i < len && is_word((unsigned char)text[i]))
            continue;
        if (i > begin)
            add_word(model, text + begin, i - begin, out);
        begin = i + 1;
    }
    normalise(out);
}
