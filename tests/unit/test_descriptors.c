#include <criterion/criterion.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/descriptors.h"

Test(descriptors, child_program_inherits_only_the_first_three)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(fcntl(ends[0], F_GETFD) & FD_CLOEXEC, 0);
    descriptors_close_on_exec();
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(fcntl(ends[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        (void)close(ends[i]);
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        cr_expect_leq(fcntl(fd, F_GETFD), 0);
}
