#include "coordinator/course.h"

static const double NEARLY_THERE = 0.99;

void course_expect(struct course *course, int64_t expected, int64_t done)
{
    double share = course_share(course, done);

    course->share = share > 0 ? share : 0;
    course->share_done = share > 0 ? done : 0;
    course->expected = expected;
}

static const struct course_step *newest(const struct course *course)
{
    return &course->steps[(course->first + course->n - 1) % COURSE_STEPS];
}

bool course_turn_is_due(const struct course *course, int64_t now_ms)
{
    return now_ms - course->turned_ms >= COURSE_TURN_MS;
}

void course_turn(struct course *course, int64_t now_ms, bool could_work)
{
    int64_t since = now_ms - course->turned_ms;
    bool counts = could_work && since < COURSE_SLEPT_MS;

    for (int i = 0; !counts && course->turned_ms > 0 && i < COURSE_STEPS; i++)
        course->steps[i].at_ms += since;
    course->turned_ms = now_ms;
}

bool course_is_due(const struct course *course, int64_t now_ms)
{
    return course->n == 0 || now_ms - newest(course)->at_ms >= COURSE_STEP_MS;
}

void course_look(struct course *course, int64_t now_ms, int64_t done)
{
    int at;

    if (course->n == 0)
        course->first_done = done;
    else if (!course_is_due(course, now_ms) ||
             done - newest(course)->done < COURSE_STEP_EXAMPLES)
        return;
    at = (course->first + course->n) % COURSE_STEPS;
    course->steps[at] = (struct course_step){now_ms, done};
    if (course->n < COURSE_STEPS)
        course->n++;
    else
        course->first = (course->first + 1) % COURSE_STEPS;
}

double course_share(const struct course *course, int64_t done)
{
    int64_t all = course->expected - course->share_done;
    double share = course->share;

    if (course->expected <= 0)
        return share > 0 ? share : -1;
    if (all <= 0 || done - course->share_done >= all)
        share = NEARLY_THERE;
    else if (done > course->share_done)
        share +=
            (1 - share) * (double)(done - course->share_done) / (double)all;
    if (share > NEARLY_THERE)
        share = NEARLY_THERE;
    return share;
}

int64_t course_left(const struct course *course, int64_t now_ms, int64_t done,
                    int64_t slots)
{
    const struct course_step *from = &course->steps[course->first];
    int64_t measured = done - course->first_done;
    int64_t made = done - from->done;

    if (course->expected <= done || course->n == 0 || made <= 0 ||
        measured < COURSE_STEP_EXAMPLES || measured < slots)
        return -1;
    return (int64_t)((double)(course->expected - done) *
                     (double)(now_ms - from->at_ms) / (double)made);
}
