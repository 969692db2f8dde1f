-- Version 7 of a store: what the calls of a job cost, by kind, added up as they
-- come. To add up a million calls for each v_cost took half a second, and a
-- replay did so twice.
--
-- A row holds all calls of its job and kind up to last_call. Nobody needs it to
-- be of the last moment: rows are written together, with every thousandth call
-- or so, and the largest last_call of all rows says where to go on; v_cost adds
-- the calls after that. So sum and calls agree after any crash. cached_tokens
-- is of the cached_calls calls whose server said how many.

-- costs: what the calls of a job of one kind cost, added up to the call
-- `last_call`; `v_cost` adds those that came later. Written with every
-- thousandth call.
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
