-- Version 4 of a store: what candidates chose of a job's tunables, a JSON object.

ALTER TABLE candidates ADD COLUMN tuned TEXT NOT NULL DEFAULT '{}';
