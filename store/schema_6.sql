-- Version 6 of a store: the interval (95 %) of a trial's score.

ALTER TABLE trials ADD COLUMN low REAL;
ALTER TABLE trials ADD COLUMN high REAL;
