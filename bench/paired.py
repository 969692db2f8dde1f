"""Compares two systems over the seeds that both ran."""

import statistics

# Student's t: the 0.975 quantile for 1 to 30 degrees of freedom.
T_975 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20,
         2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09, 2.08, 2.07,
         2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04)


def difference(first, other):
    """Returns the mean by which the first exceeds the other, in points, and the
    ends of its 95 % interval. Both arguments are shares by seed. Returns None
    with fewer than two common seeds."""
    gains = [100 * (first[seed] - other[seed])
             for seed in sorted(set(first) & set(other))]
    if len(gains) < 2:
        return None
    mean = statistics.mean(gains)
    t = T_975[min(len(gains) - 1, len(T_975)) - 1]
    half = t * statistics.stdev(gains) / len(gains) ** 0.5
    return mean, mean - half, mean + half


def show(apart):
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*apart)
