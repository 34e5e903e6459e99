-- question: Whose model calls come without tokens, by framework and model?
-- Nobody reported what these calls used, so they are in no sum of tokens or cost. From single calls: the range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - framework: empty: its spans do not say
-- - dialect: in which its spans are written
-- - provider
-- - model: empty: not named
-- - calls: answered without tokens
-- - agents: that made them
-- - last_at (UTC): start of the last one
WITH
    calls AS
    (
        SELECT trace_id, span_id, started_at, provider, model, agent
        FROM spyglass.llm_calls FINAL
        WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
            AND input_tokens IS NULL AND output_tokens IS NULL AND status != 'error'
    )
SELECT
    framework, dialect, c.provider AS provider, c.model AS model, count() AS calls,
    arraySort(groupUniqArrayIf(c.agent, c.agent != '')) AS agents, max(c.started_at) AS last_at
FROM spyglass.spans AS s FINAL
INNER JOIN calls AS c ON c.trace_id = s.trace_id AND c.span_id = s.span_id
WHERE s.timestamp >= {since:DateTime64(3, 'UTC')} AND s.timestamp < {until:DateTime64(3, 'UTC')}
    AND s.trace_id IN (SELECT trace_id FROM calls)
GROUP BY framework, dialect, provider, model
ORDER BY calls DESC, framework, dialect, provider, model
