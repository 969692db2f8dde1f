#include "cli/estimate.h"

#include <math.h>

static double ratio(double a, double b, double fallback)
{
    return b > 0 ? a / b : fallback;
}

// Returns how much longer replies are than the stand-in's to the same
// questions.
static double length_ratio(const struct call_sums *measured,
                           const struct call_sums *rehearsed)
{
    return measured->calls > 0
               ? ratio(measured->generated / measured->calls,
                       ratio(rehearsed->generated, rehearsed->calls, 0), 1)
               : 1;
}

// A role that was not measured is assumed to be as fast as the student: it
// often has the same model, and its calls are few.
static void estimate_role(const struct rehearsal *rehearsal,
                          const struct call_sums measured[ROLE_COUNT], int role,
                          struct estimate *out)
{
    const struct call_sums *run = &rehearsal->run[role];
    const struct call_sums *own = &measured[role];
    const struct call_sums *real =
        own->calls > 0 ? own : &measured[ROLE_STUDENT];
    double prompt = run->bytes * ratio(real->prompt, real->bytes, 0.25);
    double generated =
        run->generated * length_ratio(own, &rehearsal->eval[role]);
    double rest_us =
        fmax(0, real->total_us - real->prompt_us - real->generate_us);

    out->prompt += prompt;
    out->generated += generated;
    out->seconds += (prompt * ratio(real->prompt_us, real->prompt, 0) +
                     generated * ratio(real->generate_us, real->generated, 0) +
                     run->calls * ratio(rest_us, real->calls, 0)) /
                    1e6;
}

void estimate_run(const struct rehearsal *rehearsal,
                  const struct call_sums measured[ROLE_COUNT],
                  struct estimate *out)
{
    const struct call_sums *student = &measured[ROLE_STUDENT];

    for (int r = 0; r < ROLE_COUNT; r++) {
        out->calls[r] = rehearsal->run[r].calls;
        out->measured += measured[r].calls;
        estimate_role(rehearsal, measured, r, out);
    }
    out->call_s = ratio(student->total_us, student->calls, 0) / 1e6;
}
