-- Calls and tokens by job, role, purpose and model: v_workers, summed over all
-- workers.
--
--   job, role, purpose, model
--                           which calls are added up
--   calls, prompt_tokens, cached_tokens, generated_tokens, hedged
--                           sums
--   model_s                 seconds that the model servers worked
--   cached_calls            how many calls had a server that reports cached tokens;
--                           `cached_tokens` is the sum over these, NULL if there are none
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
