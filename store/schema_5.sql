-- Version 5 of a store: the last turn of a prompt stands in a table of its own.
-- Every candidate asks about the same examples, so most calls of a job end in a
-- turn that another ended in before; stored with each of them, these turns
-- were half of a store. `tail` is '' where there is a question_id, and holds
-- the turn in calls of older versions.

-- questions: the last turn of a prompt, as it was sent. Stored once for all
-- candidates that were asked it.
CREATE TABLE questions(
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

ALTER TABLE call_texts ADD COLUMN question_id INTEGER REFERENCES questions(id);
