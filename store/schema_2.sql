-- Version 2 of a store: the examples of a job, for people, and its compiled
-- file. From this version on views are files of their own (views/), and are
-- made anew whenever they differ from those of the program.

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
