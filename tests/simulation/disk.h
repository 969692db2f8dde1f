// disk: the store's disk, inside the machine.
//
// A layer over SQLite's default file system. It is slow, reports errors, is
// full for a while, and remembers what was written but not synced. When the
// power fails, any part of that may be lost, down to single sectors.

#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stdbool.h>
#include <stdint.h>

// Call once per process, before any database is opened.
void disk_install(void);

// Starts anew, without faults and without memory of earlier files.
void disk_start(void);

struct disk_faults {
    int64_t sync_us; // the longest that a sync takes
    double fails;    // share of operations that report an I/O error
    bool full;       // every write fails
};
void disk_set_faults(const struct disk_faults *faults);

// Calls `crash` once, on whatever thread, before the n-th operation from now
// (0: the next) that changes the disk. -1 cancels this.
void disk_crash_at(int n, void (*crash)(void));

// Copies the file as it would be found after the program crashed, or after the
// power failed. Returns false when the file is not open.
bool disk_copy(const char *path, const char *copy, bool power_gone);

// Returns the number of operations so far.
int64_t disk_operations(void);

#endif
