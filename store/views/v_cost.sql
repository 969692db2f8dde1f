-- Calls and tokens by job, role, purpose and model: v_workers, of all workers
-- together.
--
--   job, role, purpose, model
--                           what is added up
--   calls, prompt_tokens, cached_tokens, generated_tokens, hedged
--                           sums
--   model_s                 seconds that the model servers worked
--   cached_calls            of how many calls the server said what was cached:
--                           `cached_tokens` is their sum, NULL where it is 0
CREATE VIEW v_cost AS SELECT
    job,
    role,
    purpose,
    model,
    sum(calls) AS calls,
    sum(prompt_tokens) AS prompt_tokens,
    sum(cached_tokens) AS cached_tokens,
    sum(generated_tokens) AS generated_tokens,
    sum(hedged) AS hedged,
    round(sum(model_s), 6) AS model_s, -- times are in microseconds
    sum(cached_calls) AS cached_calls
FROM v_workers
GROUP BY job, role, purpose, model;
