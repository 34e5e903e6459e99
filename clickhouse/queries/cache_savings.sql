-- question: What did the providers' caches save?
-- Each call's cached tokens at the price of uncached input, less at their own, by the standard price that holds when
-- the call starts. The range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - provider
-- - model
-- - calls: that report tokens read from or written to a cache
-- - input_tokens: of these calls
-- - cache_read_tokens
-- - cache_write_tokens: NULL: none is known
-- - cache_hit_ratio (0 to 1): input tokens that came from the cache
-- - saved_nano_usd (1e-9 USD): by reading; NULL: no such call has a price
-- - write_surcharge_nano_usd (1e-9 USD): what writing cost more than plain input; NULL: no such call has a price
-- - net_saved_nano_usd (1e-9 USD)
-- - unpriced_calls: without a price: the savings lack them
SELECT
    provider, model, count() AS calls, sum(c.input_tokens) AS input_tokens,
    sum(c.cache_read_tokens) AS cache_read_tokens, sum(c.cache_write_tokens) AS cache_write_tokens,
    cache_read_tokens / nullIf(input_tokens, 0) AS cache_hit_ratio,
    sum(if(step = 0, NULL, intDiv(ifNull(c.cache_read_tokens, 0) * (price.3[step] - price.4[step]) + 500000, 1000000)))
        AS saved_nano_usd,
    sum(if(step = 0, NULL, intDiv(ifNull(c.cache_write_tokens, 0) * (price.5[step] - price.3[step]) + 500000, 1000000)))
        AS write_surcharge_nano_usd,
    saved_nano_usd - write_surcharge_nano_usd AS net_saved_nano_usd, countIf(step = 0) AS unpriced_calls
FROM
(
    SELECT
        provider, model, input_tokens, cache_read_tokens, cache_write_tokens,
        dictGetOrDefault(
            'spyglass.price', ('daily_from', 'above', 'input', 'cache_read', 'cache_write'),
            (toString(provider), toString(model)), toDateTime(started_at),
            ([]::Array(UInt32), []::Array(UInt64), []::Array(Int64), []::Array(Int64), []::Array(Int64))
        ) AS price,
        arrayLastIndex(
            (daily_from, above) -> daily_from <= toUnixTimestamp(started_at) % 86400
                AND (above = 0 OR above < ifNull(input_tokens, 0)),
            price.1, price.2) AS step
    FROM spyglass.llm_calls FINAL
    WHERE (cache_read_tokens > 0 OR cache_write_tokens > 0) AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
        AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
        AND ({project:String} = '' OR project = {project:String})
) AS c
GROUP BY provider, model
ORDER BY net_saved_nano_usd DESC NULLS LAST, cache_read_tokens DESC, provider, model
