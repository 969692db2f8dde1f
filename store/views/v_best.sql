-- The best of the job, as its search sees it (bests), comes first. The finished
-- trials on the most rows follow, ranked by what they gain over the baseline on
-- the rows that both were scored on. The figures of the first are of those rows
-- too.
-- Gains are rounded, because 22/46 - 13/46 and 23/46 - 14/46 differ in their last
-- bit. Among equals, the trial with fewer new instructions is better, then the
-- earlier one, as in the search.
-- Each candidate is listed once, with its first trial on the most rows.
--
--   job, rank               the job, and the place within it, from 1
--   score, baseline, n, trial, kind, candidate, instructions, demos, tuned
--                           as in `v_trials`; `trial` is 0 for a best that was scored
--                           row by row at the end of a search, not as a trial
CREATE VIEW v_best AS SELECT
    j.id AS job,
    row_number() OVER (PARTITION BY t.job_no
        ORDER BY t.leads DESC,
            round(coalesce(t.score - t.baseline, t.score), 9) DESC,
            (SELECT count(*) FROM candidate_parts p
             WHERE p.candidate_id = t.candidate_id AND p.instruction_no <> 0),
            t.number) AS rank,
    t.score,
    t.baseline,
    t.n,
    t.number AS trial,
    t.kind,
    t.candidate_id AS candidate,
    (SELECT json_group_object(step, instruction_no)
     FROM (SELECT step, instruction_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS instructions,
    (SELECT json_group_object(step, demo_set_no)
     FROM (SELECT step, demo_set_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS demos,
    (SELECT c.tuned FROM candidates c WHERE c.id = t.candidate_id) AS tuned
FROM (SELECT s.*, row_number() OVER (PARTITION BY s.job_no, s.candidate_id
          ORDER BY s.leads DESC, s.n DESC, s.number) AS turn
      FROM (SELECT a.job_no, a.number, a.kind, a.candidate_id,
                a.number IS b.trial AS leads,
                iif(a.number IS b.trial, b.score, a.score) AS score,
                iif(a.number IS b.trial, b.baseline, a.baseline) AS baseline,
                iif(a.number IS b.trial, b.n, a.n) AS n
            FROM trials a LEFT JOIN bests b ON b.job_no = a.job_no
            WHERE a.state = 'done'
                AND (a.kind IN ('baseline', 'full') OR a.number = b.trial)
            UNION ALL
            SELECT job_no, 0, 'full', candidate_id, 1, score, baseline, n
            FROM bests
            WHERE trial = 0 AND candidate_id IS NOT NULL) s) t
    JOIN jobs j ON j.no = t.job_no
WHERE t.turn = 1;
