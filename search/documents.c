#include "search/documents.h"

#include "search/session/session_thread.h"

bool documents_embed(struct session *session, struct err *err)
{
    const struct session_setup *setup = session_setup_of(session);
    struct runs_request request = {
        .program = setup->job->program,
        .plan = setup->plan,
        .candidate = session_baseline(session),
        .role = ROLE_EMBED,
        .sampling = {.temperature = -1, .purpose = "documents"},
        .texts = setup->texts,
        .n = json_array_size(setup->texts)};
    struct runs *runs;
    bool ok;

    if (request.n == 0)
        return true;
    session_phase(session, "embedding the documents");
    runs = runs_submit(session, &request, err);
    ok = runs != NULL && runs_wait(session, runs, err);
    if (ok)
        runs_free(runs);
    return ok;
}
