// log: one line at a time for the operator, on standard error.
//
// log_warn("lease-lost", "worker %s ...", name) takes a stable id that programs
// can search for, then the sentence. Only loops and handlers log; libraries
// return an err. Never log secrets, or prompt text above debug level.
// Thread-safe.
//
// Lines with the same id are limited, so that a peer that does something ten
// thousand times a second cannot fill the disk. LOG_BURST of them pass at once
// and LOG_PER_S per second after that; the next line that passes says how many
// were left out:
//
//     12:00:07 warn peer-refused: frame: ... (and 8123 more of this kind)

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SILENT };

enum { LOG_BURST = 50, LOG_PER_S = 1 };

// Drops lines below `level`. The initial level is LOG_WARN.
void log_set_level(enum log_level level);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

void log_line(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
