-- A row an evaluation: one candidate on one example, and what came of it.
--
-- `answer` is the last reply of a model: that of the step that failed, else of
-- the last step that the metric needs, and of several attempts the one that
-- counted. What is said of the example is looked up where it is asked for, and
-- not joined: who counts a million evaluations does not visit their examples.
--
--   id              of the evaluation
--   job, candidate  whose it is
--   row             the example, from 0
--   replicate       0; larger if an example is asked several times
--   share           `train`, `val`, `test`; `train, val` where both are the same rows
--   file, line      where the example stands
--   inputs          what the program was given, a JSON object
--   labels          everything else in the example, a JSON object
--   answer          the model's last reply, as it came
--   outcome         `done`, `format` (not readable), `cut`, `empty`, `loop`, `too_long`,
--                   `unjudged` (no answer of the judge could be read, so there is no score)
--   score           from the metric; 0 when the outcome is not `done`, NULL when it is
--                   `unjudged`
--   p_right         how likely the model considered the right label, 0 to 1, for optimizers
--                   that ask for it; NULL if none asked, or if the server did not say
--   judge_noise     how much the replicates of the judge differ (a standard deviation);
--                   NULL without replicates
--   reason          why it is not the full score: `feedback`, or, for runs of an older
--                   promptcc, what the outcome means
--   feedback        what would make the answer better: the metric's own words; where it has
--                   none, each output beside what the example says; for a reply that could
--                   not be read, what was wrong with it and the form that was expected.
--                   Null for a full score, and where nothing can be said
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
