-- Takes back what 0020 has put aside; about a minute for five million spans on one core.
INSERT INTO spyglass.spans SELECT * FROM spyglass.spans_aside;
