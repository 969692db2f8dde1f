-- Version 5 of a store: the last turns of prompts have their own table. Every
-- candidate asks about the same examples, so most calls of a job end in a turn
-- that an earlier call ended in too. When each call stored its own, these turns
-- were half of a store. `tail` is '' if there is a question_id; in calls of older
-- versions it holds the turn itself.

-- questions: the last turn of a prompt, as it was sent. Stored once for all
-- candidates that were asked it.
CREATE TABLE questions(
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

ALTER TABLE call_texts ADD COLUMN question_id INTEGER REFERENCES questions(id);
