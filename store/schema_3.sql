-- Version 3 of a store: log-probabilities. call_texts.logprobs says how sure the
-- model was of its reply, as JSON; it is NULL if that was not asked for or not
-- given. evaluations.p_right is the probability of the right label that follows
-- from it. evaluations.judge_noise is the standard deviation of the scores that
-- the replicates of a judge gave.
ALTER TABLE call_texts ADD COLUMN logprobs TEXT;
ALTER TABLE evaluations ADD COLUMN p_right REAL;
ALTER TABLE evaluations ADD COLUMN judge_noise REAL;
