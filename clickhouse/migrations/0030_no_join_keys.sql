-- Its rows are in join_ids since 0029.
-- danger: what stood in it is in join_ids.
DROP TABLE IF EXISTS spyglass.join_keys;
