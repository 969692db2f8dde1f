// source: something that a poll can wait for; the first member of each socket.

#ifndef TESTS_SIMULATION_SOURCE_H
#define TESTS_SIMULATION_SOURCE_H

#include <stdbool.h>

struct source {
    bool (*readable)(const void *self);
};

#endif
