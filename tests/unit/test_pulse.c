#include "worker/pulse.h"

#include <criterion/criterion.h>

enum { BEAT = 200, IDLE = 4000 };

static struct pulse pulse;

static void set_up(void)
{
    pulse_init(&pulse, 0);
    pulse_begin(&pulse, BEAT, IDLE, 0);
    pulse_heard(&pulse, 0);
}

TestSuite(pulse, .init = set_up);

Test(pulse, a_worker_with_calls_beats_every_heartbeat)
{
    for (int64_t ms = BEAT; ms < 5000; ms += BEAT) {
        cr_expect_not(pulse_is_due(&pulse, ms - 1));
        pulse_has_call(&pulse, ms);
        cr_expect(pulse_is_due(&pulse, ms));
    }
}

Test(pulse, idle_worker_beats_less_often_after_a_while)
{
    pulse_has_call(&pulse, 1000);
    cr_expect(pulse_is_due(&pulse, 1999));
    cr_expect_not(pulse_is_due(&pulse, 1999 + BEAT - 1));
    cr_expect(pulse_is_due(&pulse, 2200), "the last call is a second away");
    cr_expect_not(pulse_is_due(&pulse, 2200 + IDLE / 2));
    cr_expect(pulse_is_due(&pulse, 2200 + IDLE), "never later than that");
    cr_expect_eq(pulse_idle_for_ms(&pulse, 6200), 5200);
}

Test(pulse, a_call_brings_the_next_heartbeat_forward)
{
    cr_expect(pulse_is_due(&pulse, 10000));
    pulse_has_call(&pulse, 10100);
    cr_expect_not(pulse_is_due(&pulse, 10100 + BEAT - 1));
    cr_expect(pulse_is_due(&pulse, 10100 + BEAT));
}

Test(pulse, broken_connection_brings_it_forward_once)
{
    cr_expect(pulse_is_due(&pulse, 10000));
    pulse_connection(&pulse, false, 10000);
    cr_expect(pulse_is_due(&pulse, 10000 + BEAT));
    pulse_connection(&pulse, false, 10000 + BEAT);
    cr_expect_not(pulse_is_due(&pulse, 10000 + 2 * BEAT));
}

Test(pulse, a_silent_coordinator_is_lost_after_three_slow_beats)
{
    pulse_heard(&pulse, 1000);
    cr_expect_not(pulse_is_lost(&pulse, 1000 + 3 * IDLE - 1));
    cr_expect(pulse_is_lost(&pulse, 1000 + 3 * IDLE));
    pulse_begin(&pulse, BEAT, BEAT, 0);
    cr_expect_not(pulse_is_lost(&pulse, 1000 + 15 * BEAT - 1));
    cr_expect(pulse_is_lost(&pulse, 1000 + 15 * BEAT));
}
