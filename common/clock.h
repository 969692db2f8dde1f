// clock: the two clocks. Pure modules take times as arguments instead.

#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void); // for intervals and deadlines
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); // since 1970, for people and the history

#endif
