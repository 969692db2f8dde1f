// scaler: how many workers KEDA and Kubernetes would run, by the rule of the
// chart (deploy/helm/promptcc/templates/keda.yaml).
//
// KEDA asks for the value every polling interval. It goes from no worker to one
// when the value is above 0, and back to none after the value was 0 for the
// whole cooldown. In between, Kubernetes' autoscaler decides. It wants as many
// workers as give each callsPerWorker of the value, and ignores a difference of
// less than a tenth. It adds four workers, or doubles them, at a time, and goes
// down only to the largest number it wanted in the stabilization window.
//
// Pure: the caller asks once every interval and starts and stops the workers.

#ifndef TESTS_SIMULATION_SCALER_H
#define TESTS_SIMULATION_SCALER_H

#include <stdint.h>

enum { SCALER_INTERVAL_S = 15, SCALER_WINDOW_MOST = 64 };

struct scaler {
    int most;             // keda.maxReplicas
    int calls_per_worker; // keda.callsPerWorker
    int cooldown_s;       // keda.cooldownSeconds
    int window_s;         // the autoscaler's stabilization; 300 by default
    int64_t active_s;     // when the value was last above 0
    int wanted[SCALER_WINDOW_MOST]; // recently; the newest is at n - 1
    int n;
};

// The default values of the chart.
#define SCALER_DEFAULTS                                                        \
    ((struct scaler){.most = 8,                                                \
                     .calls_per_worker = 16,                                   \
                     .cooldown_s = 600,                                        \
                     .window_s = 300})

// Returns how many workers there should be when there are n.
int scaler_wants(struct scaler *scaler, int64_t now_s, int64_t value, int n);

#endif
