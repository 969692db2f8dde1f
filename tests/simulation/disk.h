// disk: the store's disk, inside the machine.
//
// A layer over SQLite's default file system. It is slow, fails, is full for a
// while, and remembers what was written and not synced: when the power goes,
// any part of that may be gone, down to single sectors.

#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stdbool.h>
#include <stdint.h>

// Once a process, before any database.
void disk_install(void);

// No faults, no memory of earlier files.
void disk_start(void);

struct disk_faults {
    int64_t sync_us; // a sync takes up to so much
    double fails;    // share of operations that report an I/O error
    bool full;       // every write fails
};
void disk_set_faults(const struct disk_faults *faults);

// Before the n-th operation from now (0: the next) that changes the disk,
// `crash` is called once, on whatever thread. -1: no more.
void disk_crash_at(int n, void (*crash)(void));

// Copies the file as it would be found after a crash of the program, or after
// the power was gone. False when the file is not open.
bool disk_copy(const char *path, const char *copy, bool power_gone);

// Operations so far.
int64_t disk_operations(void);

#endif
