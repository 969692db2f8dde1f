#include <criterion/criterion.h>

#include <string.h>

#include "client/submission.h"

static const char busy[] =
    "{\"error\": {\"code\": \"busy\", \"text\": \"it reads others: submit "
    "again\", \"place\": null}}";
static const char broken[] =
    "{\"error\": {\"code\": \"input\", \"text\": \"no such file\", \"place\": "
    "null}}";

static struct result refusal(const char *document)
{
    return (struct result){
        .job = "", .status = 2, .document = document, .compiled = ""};
}

struct told {
    int times;
    char text[200];
};

static void note(void *user, const char *text)
{
    struct told *told = user;

    told->times++;
    strncpy(told->text, text, sizeof told->text - 1);
}

static const struct submit job;
static const struct accepted accepted = {.job = "shop-1", .note = ""};

Test(submission, is_sent_once_until_it_is_lost)
{
    struct submission submission = submission_of(&job, NULL);

    cr_assert(submission_is_due(&submission, 0));
    submission_was_sent(&submission, 10);
    cr_assert_not(submission_is_due(&submission, 10));
    submission_was_lost(&submission);
    cr_assert(submission_is_due(&submission, 20));
}

Test(submission, is_overdue_sooner_after_it_was_accepted)
{
    struct submission submission = submission_of(&job, NULL);

    submission_was_sent(&submission, 1000);
    cr_assert_not(submission_is_overdue(&submission, 100000));
    cr_assert(submission_is_overdue(&submission, 130000));
    submission_accepted(&submission, &accepted, 130000);
    cr_assert_not(submission_is_overdue(&submission, 139000));
    cr_assert(submission_is_overdue(&submission, 141000));
}

Test(submission, says_once_which_options_a_running_job_ignores)
{
    static const struct accepted noted = {.job = "shop-1", .note = "too late"};
    struct told told = {0};
    struct client_watch watch = {.user = &told, .say = note};
    struct submission submission = submission_of(&job, &watch);

    submission_accepted(&submission, &noted, 100);
    submission_accepted(&submission, &noted, 200);
    cr_expect_eq(told.times, 1);
    cr_expect_str_eq(told.text, "too late");
}

Test(submission, unknown_to_the_coordinator_has_two_seconds_to_arrive)
{
    struct submission submission = submission_of(&job, NULL);

    cr_assert_not(submission_is_unknown(&submission, 5000), "never sent");
    submission_was_sent(&submission, 1000);
    cr_assert_not(submission_is_unknown(&submission, 3000));
    cr_assert(submission_is_unknown(&submission, 3001));
}

Test(submission, refused_for_another_reason_is_not_resent)
{
    struct submission submission = submission_of(&job, NULL);
    struct result result = refusal(broken);

    submission_was_sent(&submission, 0);
    cr_assert_not(submission_should_retry(&submission, &result, 10));
}

Test(submission, is_resent_to_a_busy_coordinator_less_and_less_often)
{
    struct told told = {0};
    struct client_watch watch = {.user = &told, .say = note};
    struct submission submission = submission_of(&job, &watch);
    struct result result = refusal(busy);
    int64_t now = 1000, pause = 0;

    for (int i = 0; i < 8; i++) {
        submission_was_sent(&submission, now);
        cr_assert(submission_should_retry(&submission, &result, now));
        cr_assert_not(submission_is_due(&submission, now + pause / 2));
        pause = submission.again_ms - now;
        cr_assert_leq(pause, 16000);
        now = submission.again_ms;
        cr_assert(submission_is_due(&submission, now));
    }
    cr_assert_geq(pause, 8000);
    cr_assert_eq(told.times, 1);
    cr_assert_str_eq(told.text,
                     "it reads others; the job will be sent again until it is "
                     "accepted");
}

Test(submission, gives_up_after_two_minutes_of_refusals_unless_accepted_before)
{
    struct submission fresh = submission_of(&job, NULL);
    struct submission known = submission_of(&job, NULL);
    struct result result = refusal(busy);

    cr_assert(submission_should_retry(&fresh, &result, 1000));
    cr_assert_not(submission_should_retry(&fresh, &result, 121001));
    submission_accepted(&known, &accepted, 500);
    cr_assert(submission_should_retry(&known, &result, 1000));
    cr_assert(submission_should_retry(&known, &result, 999000));
}

static bool yes(void *user)
{
    (void)user;
    return true;
}

Test(submission, stop_that_the_coordinator_cannot_do_is_sent_again)
{
    static const char no_memory[] =
        "{\"error\": {\"code\": \"nomem\", \"text\": \"no memory for a "
        "reply\", \"place\": null}}";
    struct told told = {0};
    struct client_watch watch = {.user = &told, .say = note, .wants_stop = yes};
    struct submission submission = submission_of(&job, &watch);

    submission_accepted(&submission, &accepted, 0);
    for (int64_t at = 1000; at <= 3000; at += 1000) {
        cr_assert(submission_wants_stop(&submission, at));
        submission.stop_sent = true;
        submission_stop_answered(&submission, no_memory, at);
        cr_expect_not(submission_wants_stop(&submission, at + 999));
    }
    cr_expect_eq(told.times, 2, "once that it stops, and once why it does not");
    cr_expect_not_null(strstr(told.text, "no memory for a reply"), "%s",
                       told.text);

    submission.stop_sent = true;
    submission_stop_answered(&submission, "{\"state\": \"stopped\"}", 4000);
    cr_expect_not(submission_wants_stop(&submission, 9000));
}
