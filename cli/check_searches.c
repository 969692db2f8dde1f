#include "cli/check_searches.h"

#include "cli/check_asks.h"
#include "common/text.h"
#include "program/graph/search_spec.h"
#include "program/graph/step.h"
#include "program/prompt/prompt.h"
#include "retrieve/retrieval.h"

// The search of a step ends with the first row that finds something. So many
// rows are searched only if nothing matches, and then a search takes hardly any
// time.
enum { ROWS_MAX = 2000 };

// Returns false if the search fails, or if the step that gets its results does.
static bool search(void *user, struct stepper *stepper, const struct ask *ask)
{
    struct retrieval *retrieval = user;
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 16);
    struct err err = ERR_CLEAR;
    bool ok = retrieval_answer(retrieval, ask->part, ask->payload,
                               ask->payload_len, &text, &err) &&
              check_asks_answer(stepper, ask, text.data, text.len);

    buf_release(&text);
    return ok;
}

static bool all_found(const struct program *program,
                      const struct retrieval *retrieval)
{
    size_t asked = 0;

    for (size_t s = 0; s < program->n_steps; s++)
        if (program->steps[s].search != NULL &&
            (retrieval_finds_nothing(retrieval, (int)s, &asked) || asked == 0))
            return false;
    return true;
}

static void tell(struct jobfile *file, const struct step *step, size_t asked)
{
    char examples[TEXT_COUNTED_BYTES];

    diag_add(file->diags, DIAG_WARNING, "finds-nothing", &step->place,
             "`%s` finds no passage for any of %s: no word of any query is in "
             "what is searched in `%s`",
             step->name, text_counted(examples, (int64_t)asked, "example"),
             step->search->documents);
    diag_remedy(file->diags,
                "check that its `inputs` are what the documents are about, "
                "that its `fields` (if any) hold the text, and that both use "
                "the same language; or search `by: embeddings`");
}

static bool has_words_search(const struct program *program)
{
    for (size_t s = 0; s < program->n_steps; s++)
        if (program->steps[s].search != NULL &&
            search_by(&program->steps[s], NULL) == SEARCH_BY_WORDS)
            return true;
    return false;
}

void check_searches(struct jobfile *file)
{
    const struct program *program = file->job->program;
    struct retrieval *retrieval = NULL;
    struct err ignored = ERR_CLEAR; // other checks report documents that cannot
                                    // be read
    size_t n = dataset_size(file->dataset), asked = 0;

    if (!has_words_search(program) ||
        !retrieval_open(program, file->bundle, &retrieval, &ignored))
        return;
    for (size_t r = 0; r < n && r < ROWS_MAX && !all_found(program, retrieval);
         r++)
        check_asks(file, r, ANSWERER_RETRIEVE, search, retrieval);
    for (size_t s = 0; s < program->n_steps; s++)
        if (retrieval_finds_nothing(retrieval, (int)s, &asked))
            tell(file, &program->steps[s], asked);
    retrieval_close(retrieval);
}
