-- Version 9 of a store: checksums of the rows that a replay depends on, of the
-- files of jobs and of compiled files, which show a damaged row. row_sum.h gives
-- the reasons. Rows of older versions have none.

ALTER TABLE calls ADD COLUMN sum INTEGER;
ALTER TABLE call_texts ADD COLUMN sum INTEGER;
ALTER TABLE evaluations ADD COLUMN sum INTEGER;
ALTER TABLE events ADD COLUMN sum INTEGER;
ALTER TABLE job_files ADD COLUMN sum INTEGER;
ALTER TABLE jobs ADD COLUMN compiled_sum INTEGER;
ALTER TABLE jobs ADD COLUMN models_sum INTEGER;
