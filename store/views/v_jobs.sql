-- One row per job, with its state and result.
--
--   job                    its id. The scores of an `eval` have their own job: `ID-eval`,
--                          or `ID-HASH-eval` with `--data` (a hash of the file), or
--                          `ID-all-eval` with `--all-steps`
--   name                   from the job file
--   state                  `queued`, `running`, `paused`, `done`, `stopped`, `failed`
--   score                  of the compiled program on the validation share, on the rows that
--                          the baseline was scored on too; NULL until there is one
--   reason                 why it is paused, stopped or failed, in a sentence
--   simulated              1 if a stand-in answered
--   trials                 how many are finished
--   seed                   of the optimizer
--   wall_s                 seconds over all sessions
--   path                   of the job file, as it was given
--   created, updated       when it was first run, and last changed
--   priority, max_workers  its share of the slots compared with other jobs (10 unless
--                          `--priority` says otherwise), and how many workers it may have
--                          at a time; NULL means all. Both are NULL for an `eval`
CREATE VIEW v_jobs AS SELECT
    j.id AS job,
    j.name,
    j.state,
    iif(nullif(j.score, -1.0) IS NULL, NULL,
        coalesce(json_extract(j.document, '$.same_rows.compiled.score'), j.score)) AS score,
    j.reason,
    j.simulated,
    (SELECT count(*)
     FROM trials t WHERE t.job_no = j.no AND t.state = 'done') AS trials,
    j.seed,
    j.wall_ms / 1000.0 AS wall_s,
    j.path,
    strftime('%Y-%m-%dT%H:%M:%fZ', j.created_ms / 1000.0, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', j.updated_ms / 1000.0, 'unixepoch') AS updated,
    coalesce(json_extract(s.options, '$.priority'), iif(s.job_no IS NULL, NULL, 10)) AS priority,
    json_extract(s.options, '$.max_workers') AS max_workers
FROM jobs j LEFT JOIN submissions s ON s.job_no = j.no
WHERE j.state <> 'removed';
