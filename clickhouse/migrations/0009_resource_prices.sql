-- What an hour of a resource costs, by host; the prices of models are in model_prices.

CREATE TABLE IF NOT EXISTS spyglass.resource_prices
(
    resource LowCardinality(String) COMMENT 'cpu_core_hour, memory_gb_hour, gpu_hour',
    label String COMMENT 'of the host; empty: every host',
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC') COMMENT 'exclusive',
    nano_usd Int64 COMMENT '1e-9 USD per hour of one core, of 1e9 bytes, of one GPU',
    source LowCardinality(String) COMMENT 'file',
    version UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) COMMENT 'when this row was written, microseconds',
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (resource, label, valid_from);

-- Every change of a price, of models and of resources: the tables of prices forget what was replaced, this one never.
CREATE TABLE IF NOT EXISTS spyglass.price_changes
(
    at DateTime64(6, 'UTC') DEFAULT now64(6),
    who LowCardinality(String) COMMENT 'user of the operating system',
    action LowCardinality(String) COMMENT 'added, changed, removed',
    provider LowCardinality(String),
    model String COMMENT 'empty: the price of a resource',
    resource LowCardinality(String) COMMENT 'empty: the price of a model',
    label String,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC') COMMENT 'exclusive',
    source LowCardinality(String) COMMENT 'genai-prices, file, override',
    row String COMMENT 'the row as JSON: as it became, or as it was before it was removed' CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (provider, model, resource, label, at);
