// space_fixture: the search space of a small classification job, for tests of
// the parts that fill it.
//
// Include it once in a test file, and name open_space and close_space in the
// file's TestSuite. Criterion runs every test in its own process, so the state
// here belongs to a single test.

#ifndef TESTS_UNIT_SPACE_FIXTURE_H
#define TESTS_UNIT_SPACE_FIXTURE_H

#include <criterion/criterion.h>

#include "fake_support.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"

enum { ROWS = 40 };

static struct err err;
static struct support support = {.base = 0.5, .teacher = 1};
static struct session *fake;
static struct study study;
static struct space space;

static inline void open_space(void)
{
    fake = support_session(&support, ROWS, 0, FINISH_LATE);
    cr_assert(study_init(&study, fake, 1, &err), "%s", err.text);
    cr_assert(space_init(&space, fake, &err));
}

static inline void close_space(void)
{
    space_release(&space);
    study_release(&study);
    fake_free(fake);
}

#endif
