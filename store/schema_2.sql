-- Version 2 of a store: the examples of a job, for people, and its compiled
-- file; the baseline's score on the rows of a trial; the last call before an
-- event. From this version on, each view has its own file (views/), and views are
-- made again whenever they differ from those of the program.

-- examples: an example of a job's data, for people: its share, place, inputs
-- and labels. Written when the job is first run.
--
-- v_evaluations shows this with each evaluation of the row. inputs and labels are
-- JSON objects. They are NULL if a job of an older store has not been run since,
-- or if its data is very large.
CREATE TABLE examples(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    row INTEGER NOT NULL,
    share TEXT NOT NULL,
    file TEXT,
    line INTEGER,
    inputs TEXT,
    labels TEXT,
    PRIMARY KEY(job_no, row)
) STRICT;

INSERT INTO examples(job_no, row, share)
SELECT job_no, row, group_concat(share, ', ')
FROM (SELECT s.job_no AS job_no, r.value AS row, s.share AS share
      FROM splits s, json_each(s.row_numbers) r
      ORDER BY s.job_no, r.value, instr('train val test', s.share))
GROUP BY job_no, row;

ALTER TABLE jobs ADD COLUMN compiled TEXT;

-- These were never filled: the id of a job contains the hash of its data, and its
-- trials show where a run stopped.
ALTER TABLE jobs DROP COLUMN data_hash;
ALTER TABLE jobs DROP COLUMN time_limit_trial;

-- The baseline's score on the rows of the trial. NULL in jobs of older stores.
ALTER TABLE trials ADD COLUMN baseline REAL;

-- The last call before the event. An excluded example keeps the answers up to
-- that call and takes no later one.
ALTER TABLE events ADD COLUMN after_call INTEGER NOT NULL DEFAULT 0;

UPDATE events
SET after_call = coalesce(
    (SELECT max(c.id) FROM calls c WHERE c.finished_ms <= events.at_ms), 0)
WHERE kind = 'exclude';
