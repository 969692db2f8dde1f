// drive: a fuzzer without libFuzzer, for every run of the tests.
//
//   fuzz_NOUN FOLDER RUNS       the corpus in FOLDER, then RUNS changed inputs
//   fuzz_NOUN FOLDER RUNS AT    prints the input of run AT, and runs nothing
//
// It does not know about coverage. An input is one of the corpus with a few
// changes, drawn from a fixed seed, so a failing run fails again. A failure is
// reported by its number; AT prints its bytes, for the corpus.

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MOST = 64, BYTES_MOST = 64 << 10, CHANGES_MOST = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t *bytes;
    size_t len;
};

static struct input corpus[FILES_MOST];
static size_t n_corpus;
static uint64_t state = 1;
static volatile long run;

static size_t below(size_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return n == 0 ? 0 : (size_t)(state >> 33) % n;
}

// --- the corpus, in the order of its names ---

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_file(const char *folder, const char *name)
{
    char path[1024];
    struct input *input = &corpus[n_corpus];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    input->bytes = malloc(BYTES_MOST);
    if (file == NULL || input->bytes == NULL)
        abort();
    input->len = fread(input->bytes, 1, BYTES_MOST, file);
    (void)fclose(file);
    n_corpus++;
}

static bool read_corpus(const char *folder)
{
    char *names[FILES_MOST];
    size_t n = 0;
    DIR *dir = opendir(folder);

    for (struct dirent *at;
         dir != NULL && n < FILES_MOST && (at = readdir(dir)) != NULL;)
        if (at->d_name[0] != '.')
            names[n++] = strdup(at->d_name);
    if (dir != NULL)
        (void)closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        read_file(folder, names[i]);
        free(names[i]);
    }
    return n > 0;
}

// --- changes ---

static void change_bytes(struct input *input)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '\n'};
    size_t at = below(input->len);

    if (input->len == 0)
        return;
    switch (below(3)) {
    case 0:
        input->bytes[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1:
        input->bytes[at] = (uint8_t)below(256);
        break;
    default:
        input->bytes[at] = telling[below(sizeof telling)];
        break;
    }
}

static void take_out(struct input *input)
{
    size_t at = below(input->len);
    size_t n = 1 + below(input->len - at < 32 ? input->len - at : 32);

    if (input->len < at + n)
        return;
    memmove(input->bytes + at, input->bytes + at + n, input->len - at - n);
    input->len -= n;
}

// Inserts bytes of a random input of the corpus at a random place.
static void put_in(struct input *input)
{
    const struct input *from = &corpus[below(n_corpus)];
    size_t start = below(from->len);
    size_t n = 1 + below(from->len - start < 64 ? from->len - start : 64);
    size_t at = below(input->len + 1);

    if (from->len < start + n || input->len + n > BYTES_MOST)
        return;
    memmove(input->bytes + at + n, input->bytes + at, input->len - at);
    memcpy(input->bytes + at, from->bytes + start, n);
    input->len += n;
}

static void make(struct input *out)
{
    static void (*const changes[])(struct input *) = {
        change_bytes, change_bytes, take_out, put_in};
    const struct input *from = &corpus[below(n_corpus)];

    memcpy(out->bytes, from->bytes, from->len);
    out->len = from->len;
    for (size_t n = 1 + below(CHANGES_MOST); n > 0; n--)
        changes[below(sizeof changes / sizeof *changes)](out);
}

// --- running ---

// The bytes get their own allocation, so that the sanitizer notices reads
// beyond it.
static void try(const struct input *input)
{
    uint8_t *copy = malloc(input->len + (input->len == 0));

    if (copy == NULL)
        abort();
    memcpy(copy, input->bytes, input->len);
    (void)LLVMFuzzerTestOneInput(copy, input->len);
    free(copy);
}

static void tell(int number)
{
    char text[80];
    int len = snprintf(text, sizeof text, "drive: run %ld failed\n", run);

    (void)!write(STDERR_FILENO, text, (size_t)len);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

int main(int argc, char **argv)
{
    long runs = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    long at = argc > 3 ? strtol(argv[3], NULL, 10) : -1;
    struct input input = {.bytes = malloc(BYTES_MOST)};

    if (argc < 3 || input.bytes == NULL || !read_corpus(argv[1])) {
        (void)fprintf(stderr, "usage: %s FOLDER RUNS [AT]\n", argv[0]);
        return 2;
    }
    (void)signal(SIGABRT, tell);
    for (size_t i = 0; at < 0 && i < n_corpus; i++, run--)
        try(&corpus[i]); // runs 0, -1, -2, ...
    for (run = 1; run <= runs && run != at; run++) {
        make(&input);
        if (at < 0)
            try(&input);
    }
    if (at > 0) {
        make(&input);
        (void)fwrite(input.bytes, 1, input.len, stdout);
    }
    for (size_t i = 0; i < n_corpus; i++)
        free(corpus[i].bytes);
    free(input.bytes);
    return 0;
}
