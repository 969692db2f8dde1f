-- Version 2 of a store: the examples of a job, for people, and its compiled
-- file; what a trial's rows scored with the baseline; where in the order of the
-- calls an event happened. From this version on views are files of their own (views/), and are
-- made anew whenever they differ from those of the program.

-- examples: an example of a job's data, for people: its share, place, inputs
-- and labels. Written when the job is first run.
--
-- What v_evaluations shows of a row. inputs and labels are JSON objects; NULL
-- where a job of an older store was not run since, or its data is very large.
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

-- Never filled: the id of a job holds the hash of its data, and where a run
-- stopped follows from its trials.
ALTER TABLE jobs DROP COLUMN data_hash;
ALTER TABLE jobs DROP COLUMN time_limit_trial;

-- The baseline's score on the rows of the trial. NULL in jobs of older stores.
ALTER TABLE trials ADD COLUMN baseline REAL;

-- The last call before the event. An example that is excluded keeps the answers
-- up to there and takes no later one.
ALTER TABLE events ADD COLUMN after_call INTEGER NOT NULL DEFAULT 0;

UPDATE events
SET after_call = coalesce(
    (SELECT max(c.id) FROM calls c WHERE c.finished_ms <= events.at_ms), 0)
WHERE kind = 'exclude';
