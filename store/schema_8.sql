-- Version 8 of a store: the best trial of a job so far, as its search sees it. It
-- cannot be found from the scores alone, since a trial on fewer examples may lead,
-- and a test may decide for the program as written. The figures cover the examples
-- that both the trial and the baseline were scored on. Jobs that have not been run
-- since have no row.

-- bests: the best trial of a job so far, compared with the baseline on the same
-- examples. Written whenever another trial takes the lead.
CREATE TABLE bests(
    job_no INTEGER PRIMARY KEY REFERENCES jobs(no),
    trial INTEGER NOT NULL,
    score REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    n INTEGER NOT NULL,
    baseline REAL NOT NULL,
    baseline_low REAL NOT NULL,
    baseline_high REAL NOT NULL,
    p_value REAL NOT NULL
) STRICT;
