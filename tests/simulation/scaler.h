// scaler: how many workers KEDA and Kubernetes would run, by the rule of the
// chart (deploy/helm/promptcc/templates/keda.yaml).
//
// KEDA asks for the value every polling interval. From none it goes to one
// worker when the value is above 0, and back to none when it was 0 for the
// whole cooldown. In between Kubernetes' autoscaler decides: as many workers as
// make the value callsPerWorker each, not for less than a tenth of difference;
// up by four workers or twofold at a time, down only to what was wanted at some
// time in the stabilization window.
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
    int window_s;         // the autoscaler's stabilization: 300 unless set
    int64_t active_s;     // when the value was above 0 last
    int wanted[SCALER_WINDOW_MOST]; // of late, the newest at n - 1
    int n;
};

// As the values of the chart have it.
#define SCALER_DEFAULTS                                                        \
    ((struct scaler){.most = 8,                                                \
                     .calls_per_worker = 16,                                   \
                     .cooldown_s = 600,                                        \
                     .window_s = 300})

// How many there should be, of n that there are.
int scaler_wants(struct scaler *scaler, int64_t now_s, int64_t value, int n);

#endif
