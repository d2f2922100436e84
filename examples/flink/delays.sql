-- How long an SMS took from the provider to us, by provider: seconds, in minutes. Only where the provider says when it came, with its zone.
SELECT 'delays', CAST(window_start AS STRING) AS from_, provider, COUNT(*) AS sms,
  AVG(TIMESTAMPDIFF(SECOND, provider_time, observed_at)) AS mean, MAX(TIMESTAMPDIFF(SECOND, provider_time, observed_at)) AS longest
FROM TABLE(TUMBLE(TABLE sms, DESCRIPTOR(observed_at), INTERVAL '1' MINUTE))
WHERE provider_time_basis = 'stated' AND `freshness` = 'live'
GROUP BY window_start, window_end, provider;
