-- Version 9 of a store: sums of the rows that a replay decides by, of the files of
-- jobs and of compiled files, by which a damaged row is noticed. row_sum.h has the
-- reasons. Rows of older versions have none.

ALTER TABLE calls ADD COLUMN sum INTEGER;
ALTER TABLE call_texts ADD COLUMN sum INTEGER;
ALTER TABLE evaluations ADD COLUMN sum INTEGER;
ALTER TABLE events ADD COLUMN sum INTEGER;
ALTER TABLE job_files ADD COLUMN sum INTEGER;
ALTER TABLE jobs ADD COLUMN compiled_sum INTEGER;
ALTER TABLE jobs ADD COLUMN models_sum INTEGER;
