-- A known fault of a span's emitter, which decides between two spans of one call, as a column of its own.
ALTER TABLE spyglass.spans
    ADD COLUMN IF NOT EXISTS usage_fault LowCardinality(String) DEFAULT attributes['spyglass.usage.fault']
        COMMENT 'a known fault of who counted the tokens: put right, or doubtful' AFTER usage_source;
