-- Version 11 of a store: the candidate of the best trial. When the budget ends a
-- search, its last candidates are scored row by row, not as trials, and the best of
-- them may be what it ships. The row of such a best names no trial (0), only its
-- candidate. Rows of older versions name no candidate.

ALTER TABLE bests ADD COLUMN candidate_id INTEGER REFERENCES candidates(id);
