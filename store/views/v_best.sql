-- The best trial of the job, as its search sees it (bests), comes first. The
-- finished trials on the most rows follow, ranked by what they gain over the
-- baseline on the rows that both were scored on. The figures of the first are of
-- those rows too.
-- Gains are rounded, because 22/46 - 13/46 and 23/46 - 14/46 differ in their last
-- bit. Among equals, the trial with fewer new instructions is better, then the
-- earlier one, as in the search.
-- Each candidate is listed once, with its first trial on the most rows.
--
--   job, rank               the job, and the place within it, from 1
--   score, baseline, n, trial, kind, candidate, instructions, demos, tuned
--                           as in `v_trials`
CREATE VIEW v_best AS SELECT
    j.id AS job,
    row_number() OVER (PARTITION BY t.job_no
        ORDER BY t.number IS t.best_trial DESC,
            round(coalesce(t.score - t.baseline, t.score), 9) DESC,
            (SELECT count(*) FROM candidate_parts p
             WHERE p.candidate_id = t.candidate_id AND p.instruction_no <> 0),
            t.number) AS rank,
    iif(t.number IS t.best_trial, t.best_score, t.score) AS score,
    iif(t.number IS t.best_trial, t.best_baseline, t.baseline) AS baseline,
    iif(t.number IS t.best_trial, t.best_n, t.n) AS n,
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
FROM (SELECT a.*, b.trial AS best_trial, b.score AS best_score,
          b.baseline AS best_baseline, b.n AS best_n,
          row_number() OVER (PARTITION BY a.job_no, a.candidate_id
          ORDER BY a.number IS b.trial DESC, a.n DESC, a.number) AS turn
      FROM trials a LEFT JOIN bests b ON b.job_no = a.job_no
      WHERE a.state = 'done'
          AND (a.kind IN ('baseline', 'full') OR a.number = b.trial)) t
    JOIN jobs j ON j.no = t.job_no
WHERE t.turn = 1;
