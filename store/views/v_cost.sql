-- Calls and tokens by job, role, purpose and model.
CREATE VIEW v_cost AS SELECT
    j.id AS job,
    k.role,
    k.purpose,
    k.model,
    count(*) AS calls,
    sum(c.prompt_tokens) AS prompt_tokens,
    sum(nullif(c.cached_tokens, -1)) AS cached_tokens,
    sum(c.generated_tokens) AS generated_tokens,
    sum(c.hedged) AS hedged,
    sum(c.total_us) / 1e6 AS model_s
FROM calls c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id
GROUP BY c.job_no, k.role, k.purpose, k.model;
