// log: one line for the operator on standard error.
//
// log_warn("lease-lost", "worker %s ...", name): a stable id that a program
// can look for, then the sentence. Only loops and handlers log; libraries
// return err. No secret, and no prompt text above debug. Thread-safe.
//
// Lines of one id are limited: what a peer does ten thousand times a second
// must not fill a disk. LOG_BURST of them pass at once and LOG_PER_S a second;
// the next one that passes says how many were left out:
//
//     12:00:07 warn peer-refused: frame: ... (and 8123 more of this kind)

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SILENT };

enum { LOG_BURST = 50, LOG_PER_S = 1 };

// Lines below level are dropped. Starts as LOG_WARN.
void log_set_level(enum log_level level);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

void log_line(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
