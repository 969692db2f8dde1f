-- Version 8 of a store: the best trial of a job so far, as its search has it. A
-- trial on fewer examples may lead, and a test may decide for the program as
-- written, so it cannot be found from the scores alone. The figures are of the
-- examples that both it and the baseline were scored on. Jobs that were not run
-- since have no row.

-- bests: the best trial of a job so far, beside the baseline on the same
-- examples. Written whenever another leads.
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
