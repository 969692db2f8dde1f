// templates: the job folders that `init` writes, embedded at build time
// (cmake/templates.cmake) from jobs/ and cli/templates/.

#ifndef CLI_TEMPLATES_H
#define CLI_TEMPLATES_H

#include <stddef.h>

struct template_file {
    const char *template_name;
    const char *name; // of the file
    const unsigned char *data;
    size_t len;
};

extern const struct template_file template_files[];
extern const size_t n_template_files;

#endif
