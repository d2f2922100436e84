-- SMS per service, each minute.
SELECT 'services', CAST(window_start AS STRING) AS from_, COALESCE(service, '-') AS service, COUNT(*) AS sms
FROM TABLE(TUMBLE(TABLE sms, DESCRIPTOR(observed_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, service;
