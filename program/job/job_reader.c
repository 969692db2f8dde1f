#include "program/job/job_reader.h"

#include <string.h>

#include "common/text.h"

bool job_reader_nomem(struct job_reader *reader)
{
    reader->diags->nomem = true;
    return false;
}

bool job_reader_map(struct job_reader *reader, const struct node *node,
                    const char *what, const char *example)
{
    if (node->kind == NODE_MAP)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
             "%s must be a map, such as %s", what, example);
    return false;
}

bool job_reader_text(struct job_reader *reader, const struct node *node,
                     const char *what, const char **out)
{
    const char *text = NULL;
    size_t len = 0;

    if (!node_text(node, what, &text, reader->diags))
        return false;
    text = text_trim(text, strlen(text), &len);
    if (len == 0) {
        diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s is empty", what);
        return false;
    }
    *out = arena_strndup(&reader->job->arena, text, len);
    return *out != NULL || job_reader_nomem(reader);
}
