#include "coordinator/turn.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

static void doze(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    while (nanosleep(&time, &time) != 0)
        ;
}

// Takes one turn that sleeps in its second step; returns standard error as
// text.
static void take_slow_turn(struct turn *turn, char *text, size_t size)
{
    FILE *caught = tmpfile();
    int kept = dup(STDERR_FILENO);

    cr_assert(caught != NULL && kept >= 0);
    (void)dup2(fileno(caught), STDERR_FILENO);
    turn_begin(turn, "messages");
    turn_step(turn, "calls to be sent");
    doze(TURN_SLOW_MS + 20);
    turn_end(turn);
    (void)dup2(kept, STDERR_FILENO);
    rewind(caught);
    text[fread(text, 1, size - 1, caught)] = '\0';
    (void)fclose(caught);
    (void)close(kept);
}

Test(turn, slow_turn_is_logged_with_its_step_and_meaning)
{
    struct turn turn;
    struct turn_report longest;
    char text[1000];

    turn_init(&turn);
    take_slow_turn(&turn, text, sizeof text);
    longest = turn_longest(&turn);
    turn_release(&turn);
    cr_expect(longest.wall_ms > TURN_SLOW_MS);
    cr_expect_str_eq(longest.step, "calls to be sent");
    cr_expect(strstr(text, "warn slow-turn: ") != NULL, "%s", text);
    cr_expect(strstr(text, "for calls to be sent; ") != NULL, "%s", text);
    cr_expect(strstr(text, "machine or its disk is too busy") != NULL, "%s",
              text);
}
