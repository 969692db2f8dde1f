-- Version 4 of a store: the values of a job's tunables that a candidate chose, a JSON object.

ALTER TABLE candidates ADD COLUMN tuned TEXT NOT NULL DEFAULT '{}';
