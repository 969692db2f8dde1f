-- Calls and tokens by job, role, purpose and model. Added up by kind first: a
-- million calls are sorted by two small numbers then, and not by texts.
CREATE VIEW v_cost AS SELECT
    j.id AS job,
    k.role,
    k.purpose,
    k.model,
    sum(c.calls) AS calls,
    sum(c.prompt_tokens) AS prompt_tokens,
    sum(c.cached_tokens) AS cached_tokens,
    sum(c.generated_tokens) AS generated_tokens,
    sum(c.hedged) AS hedged,
    sum(c.total_us) / 1e6 AS model_s
FROM (SELECT
        job_no,
        kind_id,
        count(*) AS calls,
        sum(prompt_tokens) AS prompt_tokens,
        sum(nullif(cached_tokens, -1)) AS cached_tokens,
        sum(generated_tokens) AS generated_tokens,
        sum(hedged) AS hedged,
        sum(total_us) AS total_us
      FROM calls
      GROUP BY job_no, kind_id) c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id
GROUP BY c.job_no, k.role, k.purpose, k.model;
