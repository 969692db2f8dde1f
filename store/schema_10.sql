-- Version 10 of a store: the cost of calls is added up by worker too. SQLite sorts
-- a million calls to group them by worker, which took 0.3 s. Everything else is as
-- in version 7.

DROP TABLE costs;

-- costs: the cost of a job's calls of one kind that one worker answered, up to
-- the call `last_call`; `v_cost` and `v_workers` add later calls. Written with
-- every thousandth call, or every 32nd for each row.
CREATE TABLE costs(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    kind_id INTEGER NOT NULL REFERENCES call_kinds(id),
    worker TEXT NOT NULL,
    last_call INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_calls INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    hedged INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    PRIMARY KEY(job_no, kind_id, worker)
) STRICT, WITHOUT ROWID;

INSERT INTO costs
SELECT
    job_no,
    kind_id,
    worker,
    max(id),
    count(*),
    sum(prompt_tokens),
    sum(cached_tokens >= 0),
    sum(max(cached_tokens, 0)),
    sum(generated_tokens),
    sum(hedged),
    sum(total_us)
FROM calls
GROUP BY job_no, kind_id, worker;
