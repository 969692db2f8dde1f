// copro: improves instructions step by step, each round building on what was
// tried before.
//
// The teacher writes breadth - 1 new instructions for each step, starting from
// the one as written. All are evaluated, step by step, while the other steps
// keep their best instruction so far. Then the teacher sees the best attempts
// with their scores, worst first, and writes breadth new ones; depth rounds in
// all. If several steps are searched, each round evaluates all instructions of
// a step again, since the other steps have changed in the meantime. A
// combination that was evaluated before costs nothing.
//
// Source: COPRO of DSPy (the coordinate ascent of its MIPRO paper, Opsahl-Ong
// et al. 2024, arXiv 2406.11695, section 4). Parameters have its names and
// defaults (docs/dspy.md).

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/prompt/prompt.h"
#include "search/optimizers/optimizer.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/leader.h"
#include "search/toolkit/prose.h"
#include "search/toolkit/shown.h"
#include "search/toolkit/teacher.h"

struct params {
    int64_t breadth;
    int64_t depth;
    double init_temperature;
    int64_t seed;
};

#define AT(member) offsetof(struct params, member)

static const struct param params[] = {
    {"breadth", PARAM_INT, AT(breadth), 2, 1000, 10, NULL,
     "instructions per step that one round tries"},
    {"depth", PARAM_INT, AT(depth), 1, 1000, 3, NULL,
     "rounds; from the second on, the teacher sees the best attempts and "
     "their scores"},
    {"init_temperature", PARAM_NUMBER, AT(init_temperature), 0, 2, 1.4, NULL,
     "temperature at which instructions are proposed"},
    {"seed", PARAM_INT, AT(seed), 0, 9e15, 0, NULL,
     "seed of the random numbers"},
};

enum { DRAWS_A_ROUND = 1000, NONE = -1 };

// An instruction tried for a step.
struct attempt {
    char *text;          // owned
    double score;        // its best score; NONE before it is evaluated
    struct trial *trial; // in this round; the session's
};

// A step and what was tried for it, in the order of proposal.
struct copro_part {
    size_t predictor;
    struct attempt *attempts; // owned
    size_t n;
    size_t latest; // index of this round's first attempt
    size_t best;
};

struct copro_search {
    struct session *session;
    const struct params *params;
    struct leader leader;
    struct copro_part *parts; // owned: the steps that the plan runs
    size_t n_parts;
    struct form first; // proposes from the instruction as written
    struct form later; // proposes from attempts
};

// --- attempts

// Takes over text. An empty or known instruction is dropped.
static bool add_attempt(struct copro_part *part, char *text, struct err *err)
{
    struct attempt *more =
        text != NULL ? realloc(part->attempts, (part->n + 1) * sizeof *more)
                     : NULL;

    if (more == NULL) {
        err_nomem(err, "instructions");
        free(text);
        return false;
    }
    part->attempts = more;
    bool known = text[0] == '\0';
    for (size_t i = 0; i < part->n && !known; i++)
        known = prose_same(part->attempts[i].text, text);
    if (known)
        free(text);
    else
        part->attempts[part->n++] = (struct attempt){text, NONE, NULL};
    return true;
}

static const struct step *step_of(const struct copro_search *search,
                                  const struct copro_part *part)
{
    return program_predictor(session_job(search->session)->program,
                             part->predictor);
}

// Writes the indices of the `most` best evaluated attempts, worst first. Of
// equal attempts the earlier one counts as better. Returns their number.
static size_t rank_attempts(const struct copro_part *part, size_t most,
                            size_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < part->n; i++) {
        if (part->attempts[i].score < 0)
            continue;
        size_t at = n++;
        for (; at > 0 &&
               part->attempts[out[at - 1]].score >= part->attempts[i].score;
             at--)
            out[at] = out[at - 1];
        out[at] = i;
    }
    if (n > most)
        memmove(out, out + n - most, most * sizeof *out);
    return n < most ? n : most;
}

// --- proposals

static bool init_forms(struct copro_search *search, struct err *err)
{
    static const char task[] =
        "Write a better instruction for one step of a program of "
        "language-model steps. It will be put before a language model as it "
        "is, with the step's inputs after it. Be bold: another way to put the "
        "task may be worth more than another word.";
    const struct field told =
        form_text("proposed_instruction", "The new instruction and no more");
    const struct field first[] = {
        form_text("module", "The step that the instruction is for"),
        form_text(PROSE_BASIS, "The present instruction"),
    };
    const struct field later[] = {
        form_text("module", "The step that the instruction is for"),
        form_text("attempts", "Instructions that were tried, the worst first, "
                              "and what share of the answers was right"),
    };

    const struct single_step of_first = {.name = "propose",
                                         .instruction = task,
                                         .inputs = first,
                                         .n_inputs = 2,
                                         .outputs = &told,
                                         .n_outputs = 1};
    struct single_step of_later = of_first;

    of_later.inputs = later;
    return form_init(&search->first, &of_first, err) &&
           form_init(&search->later, &of_later, err);
}

static json_t *first_inputs(const struct step *step)
{
    struct buf module = BUF_INIT(SHOWN_MAX_BYTES);
    json_t *inputs = NULL;

    shown_step(&module, step);
    if (!module.failed)
        inputs = json_pack("{s:s, s:s}", "module", module.data, PROSE_BASIS,
                           step->signature.instruction);
    buf_release(&module);
    return inputs;
}

static void put_attempts(struct buf *out, const struct copro_part *part,
                         const size_t *ranks, size_t n)
{
    buf_clear(out);
    buf_puts(out, "");
    for (size_t i = 0; i < n; i++) {
        const struct attempt *attempt = &part->attempts[ranks[i]];
        buf_printf(out, "# Instruction %zu, %.1f %% right\n%s\n\n", i + 1,
                   100 * attempt->score, attempt->text);
    }
}

// Shows as many of the best attempts as the teacher's context holds, at least
// one.
static json_t *later_inputs(const struct copro_search *search,
                            const struct copro_part *part)
{
    int64_t room = teacher_room(search->session);
    struct buf module = BUF_INIT(SHOWN_MAX_BYTES);
    struct buf tried = BUF_INIT(SHOWN_MAX_BYTES);
    size_t *ranks = calloc(part->n + 1, sizeof *ranks);
    json_t *inputs = NULL;

    if (ranks == NULL)
        return NULL;
    shown_step(&module, step_of(search, part));
    size_t n = rank_attempts(part, (size_t)search->params->breadth, ranks);
    for (size_t left_out = 0; left_out < n; left_out++) {
        put_attempts(&tried, part, ranks + left_out, n - left_out);
        if ((int64_t)prompt_estimate_tokens(module.len + tried.len) <= room)
            break;
    }
    if (!module.failed && !tried.failed)
        inputs = json_pack("{s:s, s:s}", "module", module.data, "attempts",
                           tried.data != NULL ? tried.data : "");
    free(ranks);
    buf_release(&tried);
    buf_release(&module);
    return inputs;
}

// Asks n questions about each part, all under way together; question i of part
// p is at index p * n + i.
static bool ask_all(struct copro_search *search, struct question *questions,
                    int64_t round, size_t n, struct err *err)
{
    for (size_t i = 0; i < search->n_parts * n; i++) {
        const struct copro_part *part = &search->parts[i / n];
        questions[i] = (struct question){
            .form = round == 0 ? &search->first : &search->later,
            .inputs = round == 0 ? first_inputs(step_of(search, part))
                                 : later_inputs(search, part),
            .purpose = "propose",
            .temperature = search->params->init_temperature,
            .draw = (round * (int64_t)search->n_parts + (int64_t)(i / n)) *
                        DRAWS_A_ROUND +
                    (int64_t)(i % n),
            .prose = true,
        };
        if (questions[i].inputs == NULL) {
            err_nomem(err, "a question to the teacher");
            return false;
        }
    }
    return questions_ask(search->session, questions, search->n_parts * n, err);
}

static bool propose(struct copro_search *search, int64_t round, struct err *err)
{
    size_t n = (size_t)search->params->breadth - (round == 0 ? 1 : 0);
    size_t all = search->n_parts * n;
    struct question *questions = calloc(all + 1, sizeof *questions);
    bool ok = questions != NULL;

    if (!ok)
        err_nomem(err, "proposals");
    ok = ok && ask_all(search, questions, round, n, err);
    for (size_t p = 0; ok && p < search->n_parts; p++)
        search->parts[p].latest = round == 0 ? 0 : search->parts[p].n;
    for (size_t i = 0; ok && i < all; i++) {
        const char *text =
            json_get_text(questions[i].answer, "proposed_instruction", "");
        ok = add_attempt(&search->parts[i / n], instruction_clean(text), err);
    }
    for (size_t i = 0; questions != NULL && i < all; i++)
        question_release(&questions[i]);
    free(questions);
    return ok;
}

// --- evaluation

// Combines the best of all other parts with this attempt of this part. Sealed.
static struct candidate *build(const struct copro_search *search,
                               const struct copro_part *part, size_t attempt,
                               struct err *err)
{
    struct candidate *made =
        candidate_child(session_baseline(search->session), err);
    bool ok = made != NULL;

    for (size_t p = 0; ok && p < search->n_parts; p++) {
        const struct copro_part *of = &search->parts[p];
        size_t no = of == part ? attempt : of->best;
        ok = candidate_set_instruction(made, of->predictor, (int)no,
                                       of->attempts[no].text, err);
    }
    if (!ok) {
        candidate_unref(made);
        return NULL;
    }
    candidate_seal(made);
    return made;
}

// Returns the candidate's trial on all validation rows, or NULL.
static struct trial *find_trial(const struct copro_search *search,
                                const struct candidate *candidate)
{
    size_t all = session_split(search->session)->n[SHARE_VAL];
    size_t n = 0;
    struct trial *const *trials = session_trials(search->session, &n);

    for (size_t i = 0; i < n; i++) {
        if (trials[i]->n_rows == all &&
            hash_equal(&trials[i]->candidate->id, &candidate->id))
            return trials[i];
    }
    return NULL;
}

static bool try_attempt(struct copro_search *search, struct copro_part *part,
                        size_t attempt, struct err *err)
{
    struct candidate *candidate = build(search, part, attempt, err);
    struct trial *trial = NULL;
    size_t n = 0;

    if (candidate == NULL)
        return false;
    trial = find_trial(search, candidate);
    bool ok = trial != NULL || leader_admit(&search->leader, err);
    if (ok && trial == NULL && !search->leader.over) {
        ok = leader_try(&search->leader, candidate, "attempt", err);
        if (ok)
            trial = session_trials(search->session, &n)[n - 1];
    }
    part->attempts[attempt].trial = trial;
    candidate_unref(candidate);
    return ok;
}

// Picks the best attempt of all rounds, once the trials of this round are done.
static void judge(struct copro_part *part)
{
    for (size_t i = 0; i < part->n; i++) {
        struct attempt *attempt = &part->attempts[i];
        if (attempt->trial != NULL && attempt->trial->n > 0 &&
            attempt->trial->score > attempt->score)
            attempt->score = attempt->trial->score;
        attempt->trial = NULL;
        if (attempt->score > part->attempts[part->best].score)
            part->best = i;
    }
}

static bool try_part(struct copro_search *search, struct copro_part *part,
                     struct err *err)
{
    size_t from = search->n_parts > 1 ? 0 : part->latest;

    for (size_t i = from; i < part->n && !search->leader.over; i++) {
        if (!try_attempt(search, part, i, err))
            return false;
    }
    if (!leader_settle(&search->leader, err))
        return false;
    if (!search->leader.over)
        judge(part);
    return true;
}

// --- the whole search

// Estimates the work from this round on. With one step, a round evaluates only
// what it wrote; with several, it evaluates everything written for each step,
// since the other steps have changed.
static struct effort effort_of(const struct session *session,
                               const struct params *values, int64_t round)
{
    const struct program *program = session_job(session)->program;
    size_t parts = plan_predictors(session_plan(session), program, NULL);
    size_t asked = 0, trials = 0;

    for (; round < values->depth; round++) {
        asked += parts * (size_t)values->breadth;
        trials += parts * (size_t)values->breadth *
                  (parts > 1 ? (size_t)round + 1 : 1);
    }
    return (struct effort){.examples =
                               asked + leader_effort(session, trials).examples};
}

static struct effort effort(struct session *session, const void *given)
{
    return effort_of(session, given, 0);
}

static bool run_rounds(struct copro_search *search, struct err *err)
{
    for (int64_t round = 0; round < search->params->depth; round++) {
        session_expect(search->session,
                       effort_of(search->session, search->params, round));
        session_phase(search->session, "proposals");
        if (!propose(search, round, err))
            return false;
        session_phase(search->session, "search");
        for (size_t p = 0; p < search->n_parts && !search->leader.over; p++) {
            if (!try_part(search, &search->parts[p], err))
                return false;
        }
        if (search->leader.over)
            break;
    }
    return true;
}

static bool begin_search(struct copro_search *search, struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    const struct plan *plan = session_plan(search->session);
    const struct trial *seed = session_seed_trial(search->session);

    search->parts = calloc(program->n_predictors + 1, sizeof *search->parts);
    if (search->parts == NULL) {
        err_nomem(err, "a search");
        return false;
    }
    for (size_t i = 0; i < program->n_predictors; i++) {
        const struct step *step = program_predictor(program, i);
        if (!plan->runs[program->predictors[i]])
            continue;
        struct copro_part *part = &search->parts[search->n_parts++];
        part->predictor = i;
        if (!add_attempt(part, strdup(step->signature.instruction), err))
            return false;
        if (seed != NULL &&
            !add_attempt(part, strdup(seed->candidate->parts[i].instruction),
                         err))
            return false;
    }
    return init_forms(search, err);
}

static void release_search(struct copro_search *search)
{
    for (size_t p = 0; p < search->n_parts; p++) {
        for (size_t i = 0; i < search->parts[p].n; i++)
            free(search->parts[p].attempts[i].text);
        free(search->parts[p].attempts);
    }
    free(search->parts);
    form_release(&search->first);
    form_release(&search->later);
}

static bool run(struct session *session, const void *given, struct err *err)
{
    struct copro_search search = {
        .session = session, .params = given, .leader = leader_of(session, 1.0)};
    bool ok = true;

    if (search.leader.over)
        return true;
    ok = begin_search(&search, err) && run_rounds(&search, err);
    ok = leader_end(&search.leader, ok, err);
    release_search(&search);
    return ok;
}

const struct optimizer copro = {
    .name = "copro",
    .help = "instructions, written anew each round after the best ones so far",
    .params = params,
    .n_params = sizeof params / sizeof *params,
    .params_size = sizeof(struct params),
    .seeds = true,
    .effort = effort,
    .run = run,
};
