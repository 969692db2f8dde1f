-- Version 3 of a store: log-probabilities. What was in doubt of a reply, as
-- JSON (NULL where it was not asked for or not given), and the probability of
-- the right label that follows from it for an example. And the deviation of a
-- score by what replicates of its judge said.
ALTER TABLE call_texts ADD COLUMN logprobs TEXT;
ALTER TABLE evaluations ADD COLUMN p_right REAL;
ALTER TABLE evaluations ADD COLUMN judge_noise REAL;
