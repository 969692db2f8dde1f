#include "wire/mailbox.h"

#include <stdlib.h>

#include "wire/outbox.h"
#include "wire/prefixes.h"

struct mailbox {
    struct mailboxes *all; // borrowed
    void *owner;           // borrowed
    struct wire_id to;
    bool several; // reads frames of several messages
    struct outbox outbox;
    struct known_prefixes prefixes;
    bool waits; // is in the list of mailboxes to flush
    struct mailbox *next;
};

struct mailbox *mailbox_new(struct mailboxes *all, const struct wire_id *to,
                            const struct hello *hello, void *owner)
{
    struct mailbox *mailbox = malloc(sizeof *mailbox);

    if (mailbox == NULL)
        return NULL;
    *mailbox = (struct mailbox){.all = all,
                                .owner = owner,
                                .to = *to,
                                .several = hello->several != 0,
                                .outbox = OUTBOX_INIT,
                                .prefixes.room = (size_t)hello->prefixes};
    return mailbox;
}

static void stop_waiting(struct mailbox *mailbox)
{
    struct mailbox **at = &mailbox->all->waiting;

    while (*at != mailbox)
        at = &(*at)->next;
    *at = mailbox->next;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    if (mailbox->waits)
        stop_waiting(mailbox);
    outbox_release(&mailbox->outbox);
    free(mailbox);
}

bool mailbox_put(struct mailbox *mailbox, const struct message *message,
                 struct err *err)
{
    struct mailboxes *all = mailbox->all;

    if (!mailbox->several)
        return wire_send(all->socket, &mailbox->to, message, err);
    if (!mailbox->waits) {
        mailbox->waits = true;
        mailbox->next = all->waiting;
        all->waiting = mailbox;
    }
    return outbox_put(&mailbox->outbox, all->socket, &mailbox->to, message,
                      err);
}

// Names the prefix to a peer that keeps prefixes, and leaves out its text if
// the peer has it.
static void name_prefix(struct mailbox *mailbox, const struct hash *prefix,
                        struct call_message *call)
{
    size_t len = call->request.prefix_len;

    if (mailbox->prefixes.room == 0 || len == 0 || len > WIRE_PREFIX_BYTES)
        return;
    call->prefix_name = (const char *)prefix->bytes;
    call->prefix_name_len = sizeof prefix->bytes;
    if (known_prefixes_use(&mailbox->prefixes, prefix)) {
        call->request.prefix = "";
        call->request.prefix_len = 0;
    }
}

bool mailbox_put_call(struct mailbox *mailbox, const struct call_message *call,
                      const struct hash *prefix, struct err *err)
{
    struct message message = {.kind = MESSAGE_CALL, .as.call = *call};

    if (prefix != NULL)
        name_prefix(mailbox, prefix, &message.as.call);
    if (mailbox_put(mailbox, &message, err))
        return true;
    mailbox_forget_prefixes(mailbox); // the peer was not sent this one
    return false;
}

void mailbox_forget_prefixes(struct mailbox *mailbox)
{
    known_prefixes_forget(&mailbox->prefixes);
}

void *mailboxes_flush(struct mailboxes *all, struct err *err)
{
    struct mailbox *mailbox;

    while ((mailbox = all->waiting) != NULL) {
        all->waiting = mailbox->next;
        mailbox->waits = false;
        if (!outbox_flush(&mailbox->outbox, all->socket, &mailbox->to, err))
            return mailbox->owner;
    }
    return NULL;
}
