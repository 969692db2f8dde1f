-- Version 7 of a store: the cost of a job's calls by kind, added up as they come.
-- Adding up a million calls for each v_cost took half a second, and a replay did
-- so twice.
--
-- A row sums up all calls of its job and kind up to last_call. It may lag behind:
-- the rows are written together, with every thousandth call or so, and v_cost
-- adds the calls after the largest last_call of all rows. So the sums and the
-- calls agree after any crash. cached_tokens covers the cached_calls calls whose
-- server reported it.

-- costs: the cost of a job's calls of one kind, up to the call `last_call`;
-- `v_cost` adds later calls. Written with every thousandth call.
CREATE TABLE costs(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    kind_id INTEGER NOT NULL REFERENCES call_kinds(id),
    last_call INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_calls INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    hedged INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    PRIMARY KEY(job_no, kind_id)
) STRICT, WITHOUT ROWID;

INSERT INTO costs
SELECT
    job_no,
    kind_id,
    max(id),
    count(*),
    sum(prompt_tokens),
    sum(cached_tokens >= 0),
    sum(max(cached_tokens, 0)),
    sum(generated_tokens),
    sum(hedged),
    sum(total_us)
FROM calls
GROUP BY job_no, kind_id;
