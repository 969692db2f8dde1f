// log: one line for the operator on standard error.
//
// log_warn("lease-lost", "worker %s ...", name): a stable id that a program
// can look for, then the sentence. Only loops and handlers log; libraries
// return err. No secret, and no prompt text above debug. Thread-safe.

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SILENT };

// Lines below level are dropped. Starts as LOG_WARN.
void log_set_level(enum log_level level);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

void log_line(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
