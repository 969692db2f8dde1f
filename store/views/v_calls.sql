-- One row per call, with its full texts. The texts are looked up in subqueries
-- rather than joined, so that counting a million calls does not read a million
-- texts.
--
--   id                      of the call
--   job                     the job that asked first, and paid; other jobs may have used
--                           the answer since
--   role, purpose, step     who was asked, for what, and in which step
--   model, digest, options  what was asked, and how
--   outcome                 `text`, `cut`, `empty`, `loop`, `too_long`
--   messages, reply         in full, exactly as they were sent and received. For the role
--                           `embed`, these are a list of one text, and its embedding as
--                           32-bit floats in base64
--   prompt_tokens, cached_tokens, generated_tokens
--                           as the server counts them; `cached_tokens` is null if it does
--                           not report them
--   worker                  the worker that gave the answer
--   attempts                how often it was sent
--   hedged                  1 if a second copy was sent because the first was slow
--   prompt_us, generate_us, load_us, total_us
--                           microseconds, as the server measured them; `total_us` as the
--                           worker measured it
--   finished                when the answer came
--   key                     the hash of everything that determines the answer
--   prefix                  the id of its prefix (`prefixes`); null if it has none
CREATE VIEW v_calls AS SELECT
    c.id,
    j.id AS job,
    k.role,
    k.purpose,
    k.step,
    k.model,
    k.digest,
    k.options,
    CASE c.outcome
        WHEN 0 THEN 'text'
        WHEN 1 THEN 'cut'
        WHEN 2 THEN 'empty'
        WHEN 3 THEN 'loop'
        WHEN 4 THEN 'too_long'
        ELSE c.outcome END AS outcome,
    coalesce((SELECT p.text FROM prefixes p WHERE p.id = c.prefix_id), '') ||
        (SELECT coalesce(q.text, t.tail)
         FROM call_texts t LEFT JOIN questions q ON q.id = t.question_id
         WHERE t.id = c.id) AS messages,
    (SELECT t.reply FROM call_texts t WHERE t.id = c.id) AS reply,
    c.prompt_tokens,
    nullif(c.cached_tokens, -1) AS cached_tokens,
    c.generated_tokens,
    c.worker,
    c.attempts,
    c.hedged,
    c.prompt_us,
    c.generate_us,
    c.load_us,
    c.total_us,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.finished_ms / 1000.0, 'unixepoch') AS finished,
    lower(hex(c.key)) AS key,
    c.prefix_id AS prefix
FROM calls c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id;
