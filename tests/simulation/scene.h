// scene: the jobs that run in the machine.

#ifndef TESTS_SIMULATION_SCENE_H
#define TESTS_SIMULATION_SCENE_H

#include "wire/message.h"

enum { SCENE_VARIANTS = 2 };

const struct submit *scene_submit(int variant);

#endif
