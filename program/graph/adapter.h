// adapter: in which form a model is to answer. Part of a candidate; what the
// forms look like stands in program/prompt/prompt.h.

#ifndef PROGRAM_GRAPH_ADAPTER_H
#define PROGRAM_GRAPH_ADAPTER_H

enum adapter {
    ADAPTER_CHAT, // fields marked with [[ ## name ## ]] lines
    ADAPTER_JSON, // a JSON object under a schema
};
enum { ADAPTER_COUNT = 2 };

// NULL-terminated names, in the order of the enum: "chat", "json".
extern const char *const adapter_names[];

#endif
