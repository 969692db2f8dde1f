// adapter: the form in which a model is asked to answer. It is part of a
// candidate. program/prompt/prompt.h shows what each form looks like.

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
