-- One row per candidate and step: what the candidate shows there.
--
--   job, candidate, step    which part of which candidate
--   instruction_number, instruction
--                           its number among those of the step, and its text
--   demo_set_number, demos  the same for its demos, which are a JSON list
--   tuned                   as in `v_trials`
--   parents                 the candidates that it was made from, a JSON list
--   reason                  why it was made, in a sentence
--   created                 when it was made
CREATE VIEW v_candidates AS SELECT
    j.id AS job,
    c.id AS candidate,
    p.step,
    p.instruction_no AS instruction_number,
    i.text AS instruction,
    p.demo_set_no AS demo_set_number,
    d.demos,
    c.tuned,
    c.parents,
    c.reason,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.created_ms / 1000.0, 'unixepoch') AS created
FROM candidates c
    JOIN jobs j ON j.no = c.job_no
    JOIN candidate_parts p ON p.candidate_id = c.id
    JOIN instructions i ON i.id = p.instruction_id
    JOIN demo_sets d ON d.id = p.demo_set_id;
