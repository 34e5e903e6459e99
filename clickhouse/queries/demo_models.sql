-- question: What did each model of one demo run use and cost, as stored?
-- parameters:
-- - run String: of the demo, as its spans carry it
-- - since DateTime64(3, 'UTC'): start of the range
-- columns:
-- - provider
-- - model
-- - calls
-- - unreported: answered calls without token counts
-- - input_tokens: NULL: none is known, as in all tokens
-- - output_tokens
-- - cache_read_tokens
-- - cache_write_tokens
-- - reasoning_tokens
-- - cost_nano_usd (1e-9 USD): NULL: no call has a price
-- - unpriced: calls with token counts but without a price
SELECT
    provider,
    model,
    count() AS calls,
    countIf(usage_source = 'missing' AND status != 'error') AS unreported,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_tokens) AS cache_write_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(cost_nano_usd) AS cost_nano_usd,
    countIf(cost_source = 'unpriced' AND s.input_tokens IS NOT NULL) AS unpriced
FROM spyglass.spans AS s FINAL
WHERE demo AND kind IN ('llm', 'embedding') AND timestamp >= {since:DateTime64(3, 'UTC')}
    AND resource['spyglass.demo.run'] = {run:String}
GROUP BY provider, model
ORDER BY provider, model
