spyglass_call_cost_nano_usd(
    kind, provider, model, service_tier, started_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, cache_write_1h_tokens, audio_input_tokens, audio_cache_read_tokens, audio_output_tokens)
