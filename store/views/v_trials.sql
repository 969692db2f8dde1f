-- A row a trial: what `promptcc trials` prints.
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
