-- What each worker answered, by job, role, purpose and model: the sums in costs,
-- and the calls that came after them (schema_10.sql).
--
--   worker          the worker that gave the answers
--   job, role, purpose, model
--                   for which job, and what was asked
--   calls, prompt_tokens, cached_tokens, generated_tokens, hedged
--                   sums
--   model_s         seconds that its model server worked
--   cached_calls    how many calls had a server that reports cached tokens;
--                   `cached_tokens` is the sum over these, NULL if there are none
CREATE VIEW v_workers AS SELECT
    c.worker,
    j.id AS job,
    k.role,
    k.purpose,
    k.model,
    sum(c.calls) AS calls,
    sum(c.prompt_tokens) AS prompt_tokens,
    CASE WHEN sum(c.cached_calls) > 0 THEN sum(c.cached_tokens) END
        AS cached_tokens,
    sum(c.generated_tokens) AS generated_tokens,
    sum(c.hedged) AS hedged,
    sum(c.total_us) / 1e6 AS model_s,
    sum(c.cached_calls) AS cached_calls
FROM (SELECT
        worker,
        job_no,
        kind_id,
        calls,
        prompt_tokens,
        cached_calls,
        cached_tokens,
        generated_tokens,
        hedged,
        total_us
      FROM costs
      UNION ALL
      SELECT
        worker,
        job_no,
        kind_id,
        1,
        prompt_tokens,
        cached_tokens >= 0,
        max(cached_tokens, 0),
        generated_tokens,
        hedged,
        total_us
      FROM calls
      WHERE id > (SELECT coalesce(max(last_call), 0) FROM costs)) c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id
GROUP BY c.worker, c.job_no, k.role, k.purpose, k.model;
