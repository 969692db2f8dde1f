-- One row per trial: what `promptcc trials` prints.
--
--   job, trial           the job, and the number of the trial in it, from 1
--   state                `running`, `done`, `incomplete` (a call could not be served, or
--                        the budget was used up)
--   kind                 `baseline`, `minibatch`, `full`, `pruned`
--   score, n             the mean score, and the number of examples; no score while the
--                        trial runs, or if it is `incomplete`
--   low, high            the interval of the score (95 %; Wilson's for scores of 0 or 1, by
--                        bootstrap for graded ones); NULL if there is no score, and in jobs
--                        of older stores
--   baseline             the score of the baseline on the same examples; NULL if it was
--                        scored on none of them, and in jobs of older stores
--   candidate            what was scored (`v_candidates`)
--   instructions, demos  JSON objects from step to the number of its instruction and of
--                        its demo set; 0 is the instruction as written, and no demos
--   tuned                the values that it chose for the job's tunables
--                        (docs/job-file.md), as a JSON object without those that are the
--                        default; `{}` in jobs without tunables
--   calls, tokens        the calls that this trial was the first to use, and their tokens
--   started, finished    when it started and finished
CREATE VIEW v_trials AS SELECT
    j.id AS job,
    t.number AS trial,
    t.state,
    t.kind,
    t.score,
    t.low,
    t.high,
    t.baseline,
    t.n,
    t.candidate_id AS candidate,
    (SELECT json_group_object(step, instruction_no)
     FROM (SELECT step, instruction_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS instructions,
    (SELECT json_group_object(step, demo_set_no)
     FROM (SELECT step, demo_set_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS demos,
    (SELECT c.tuned FROM candidates c WHERE c.id = t.candidate_id) AS tuned,
    t.calls,
    t.tokens,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.finished_ms / 1000.0, 'unixepoch') AS finished
FROM trials t
    JOIN jobs j ON j.no = t.job_no;
