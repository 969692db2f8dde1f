-- A row a trial: what `promptcc trials` prints.
--
--   job, trial           the job, and the number of the trial in it, from 1
--   state                `running`, `done`, `incomplete` (a call could not be served, or
--                        the budget was used up)
--   kind                 `baseline`, `minibatch`, `full`, `pruned`
--   score, n             the mean score, and over how many examples; no score while the
--                        trial runs, and when it is `incomplete`
--   low, high            the interval of the score (95 %; Wilson's for right or wrong, by
--                        bootstrap for graded scores); NULL where there is no score, and in
--                        jobs of older stores
--   baseline             the score of the baseline on the same examples; NULL where it was
--                        scored on none of them, and in jobs of older stores
--   candidate            what was scored (`v_candidates`)
--   instructions, demos  JSON objects from step to the number of its instruction and demo
--                        set; 0 is as written, and no demos
--   tuned                a JSON object of what it chose of the job's tunables
--                        (docs/job-file.md), where that is not the default; `{}` in jobs
--                        without any
--   calls, tokens        of the calls that this trial was the first to use
--   started, finished    when
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
