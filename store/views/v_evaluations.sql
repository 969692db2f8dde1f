-- One row per evaluation: one candidate on one example, and the result.
--
-- `answer` is the last reply of a model: the reply of the step that failed, or
-- else of the last step that the metric needs. If a step made several attempts, it
-- is the one that counted. The example is looked up in subqueries rather than
-- joined, so that counting a million evaluations does not read their examples.
--
--   id              of the evaluation
--   job, candidate  which candidate of which job was evaluated
--   row             the example, from 0
--   replicate       0; larger if an example is asked several times
--   share           `train`, `val`, `test`; `train, val` if both are the same rows
--   file, line      where the example is in the data
--   inputs          what the program was given, a JSON object
--   labels          everything else in the example, a JSON object
--   answer          the model's last reply, as it came
--   outcome         `done`, `format` (not readable), `cut`, `empty`, `loop`, `too_long`,
--                   `unjudged` (no answer of the judge could be read, so there is no score)
--   score           from the metric; 0 if the outcome is not `done`, NULL if it is
--                   `unjudged`
--   p_right         how likely the model considered the right label, 0 to 1, for optimizers
--                   that ask for it; NULL if none asked, or if the server did not say
--   judge_noise     how much the replicates of the judge differ (a standard deviation);
--                   NULL without replicates
--   reason          why it is not the full score: `feedback`, or, for runs of an older
--                   promptcc, what the outcome means
--   feedback        what would make the answer better, in the metric's own words. If it has
--                   none: each output, and what the example says instead. For a reply that
--                   could not be read: what was wrong with it, and the form that was
--                   expected. Null for a full score, and if there is nothing to say
--   repairs         how often a reply had to be asked for again
--   lenient         bits that say in what way the reply was not quite as asked
--                   (docs/replies.md)
--   calls           the ids of its calls, step by step, a JSON list (`v_calls`)
CREATE VIEW v_evaluations AS SELECT
    e.id,
    j.id AS job,
    e.candidate_id AS candidate,
    e.row,
    e.replicate,
    (SELECT x.share FROM examples x
     WHERE x.job_no = e.job_no AND x.row = e.row) AS share,
    (SELECT x.file FROM examples x
     WHERE x.job_no = e.job_no AND x.row = e.row) AS file,
    (SELECT x.line FROM examples x
     WHERE x.job_no = e.job_no AND x.row = e.row) AS line,
    (SELECT x.inputs FROM examples x
     WHERE x.job_no = e.job_no AND x.row = e.row) AS inputs,
    (SELECT x.labels FROM examples x
     WHERE x.job_no = e.job_no AND x.row = e.row) AS labels,
    (SELECT t.reply
     FROM json_each(e.calls) i
         JOIN calls c ON c.id = i.value
         JOIN call_kinds k ON k.id = c.kind_id
         JOIN call_texts t ON t.id = c.id
     WHERE k.role IN ('student', 'teacher')
     ORDER BY i.key DESC LIMIT 1) AS answer,
    CASE e.outcome
        WHEN 0 THEN 'done'
        WHEN 1 THEN 'format'
        WHEN 2 THEN 'cut'
        WHEN 3 THEN 'empty'
        WHEN 4 THEN 'loop'
        WHEN 5 THEN 'too_long'
        WHEN 6 THEN 'unjudged'
        ELSE e.outcome END AS outcome,
    e.score,
    e.p_right,
    e.judge_noise,
    coalesce(e.feedback, CASE e.outcome
        WHEN 1 THEN 'the reply could not be read as the outputs of the step'
        WHEN 2 THEN 'the reply was cut off at num_predict'
        WHEN 3 THEN 'the reply was empty'
        WHEN 4 THEN 'the reply repeated itself'
        WHEN 5 THEN 'the prompt did not fit the context'
        WHEN 6 THEN 'no answer of the judge could be read'
        END) AS reason,
    e.feedback,
    e.repairs,
    e.lenient,
    e.calls
FROM evaluations e
    JOIN jobs j ON j.no = e.job_no;
