-- The finished trials on the most rows, ranked within their job by what they
-- gain over the baseline on the rows that both were scored on.
-- Rounded, for 22/46 - 13/46 and 23/46 - 14/46 differ in their last bit. Of
-- equals the one with fewer instructions of its own is better, then the first,
-- as in the search.
-- A candidate stands here once, by its first trial on the most rows.
CREATE VIEW v_best AS SELECT
    j.id AS job,
    row_number() OVER (PARTITION BY t.job_no
        ORDER BY round(coalesce(t.score - t.baseline, t.score), 9) DESC,
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
FROM (SELECT *, row_number() OVER (PARTITION BY job_no, candidate_id
          ORDER BY n DESC, number) AS turn
      FROM trials
      WHERE state = 'done' AND kind IN ('baseline', 'full')) t
    JOIN jobs j ON j.no = t.job_no
WHERE t.turn = 1;
