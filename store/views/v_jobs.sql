-- A row a job, with its state and result.
CREATE VIEW v_jobs AS SELECT
    j.id AS job,
    j.name,
    j.state,
    nullif(j.score, -1.0) AS score,
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
