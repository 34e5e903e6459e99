-- What spans say they used of a machine, and on which host: the prices of resources go by it.
-- The columns follow from the maps at insert, so the view of 0004 stays as it is, and rows of before have them too. The
-- attributes stay in their map as well. A number that cannot be one (negative, above 1e12, none at all) is NULL, and
-- what was reported stands in usage_defects.

ALTER TABLE spyglass.spans
    ADD COLUMN IF NOT EXISTS host LowCardinality(String)
        DEFAULT resource['host.name'] COMMENT 'that the sender ran on; empty: unknown',
    ADD COLUMN IF NOT EXISTS cpu_core_seconds Nullable(Float64)
        DEFAULT if((toFloat64OrNull(attributes['spyglass.usage.cpu.core_seconds']) AS cpu_) >= 0 AND cpu_ <= 1e12, cpu_, NULL)
        COMMENT 'of the span itself; NULL: unknown' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS memory_gb_seconds Nullable(Float64)
        DEFAULT if((toFloat64OrNull(attributes['spyglass.usage.memory.gb_seconds']) AS memory_) >= 0 AND memory_ <= 1e12, memory_, NULL)
        COMMENT '1e9 bytes for a second' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS gpu_seconds Nullable(Float64)
        DEFAULT if((toFloat64OrNull(attributes['spyglass.usage.gpu.seconds']) AS gpu_) >= 0 AND gpu_ <= 1e12, gpu_, NULL)
        COMMENT 'of one whole GPU' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS network_receive_bytes Nullable(UInt64)
        DEFAULT if((toUInt64OrNull(attributes['spyglass.usage.network.receive_bytes']) AS receive_) <= 1000000000000, receive_, NULL)
        CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS network_transmit_bytes Nullable(UInt64)
        DEFAULT if((toUInt64OrNull(attributes['spyglass.usage.network.transmit_bytes']) AS transmit_) <= 1000000000000, transmit_, NULL)
        CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS usage_defects Map(LowCardinality(String), String)
        DEFAULT mapFilter((k, v) -> v != '', map(
            'cpu_core_seconds', if(cpu_core_seconds IS NULL, attributes['spyglass.usage.cpu.core_seconds'], ''),
            'memory_gb_seconds', if(memory_gb_seconds IS NULL, attributes['spyglass.usage.memory.gb_seconds'], ''),
            'gpu_seconds', if(gpu_seconds IS NULL, attributes['spyglass.usage.gpu.seconds'], ''),
            'network_receive_bytes', if(network_receive_bytes IS NULL, attributes['spyglass.usage.network.receive_bytes'], ''),
            'network_transmit_bytes', if(network_transmit_bytes IS NULL, attributes['spyglass.usage.network.transmit_bytes'], '')))
        COMMENT 'column → what was reported, as in defects' CODEC(ZSTD(3));
