-- Behind the tables of `smsbus schema export --format flink -`, in Flink's SQL client.

-- How long ids are remembered: the topic keeps records for 7 to 8 days.
SET 'table.exec.state.ttl' = '9 d';

-- Each SMS once, whatever came twice. The first one counts, so nothing that was said is taken back.
CREATE TEMPORARY VIEW sms AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen) AS nth
  FROM (SELECT *, PROCTIME() AS seen FROM sms_received)
) WHERE nth = 1;

-- Your orders: here a file that is read once, with you a topic or a table of a database.
CREATE TEMPORARY TABLE orders (client_ref STRING, customer STRING) WITH (
  'connector' = 'filesystem', 'path' = 'orders.csv', 'format' = 'csv'
);

-- SMS per service, each minute.
SELECT 'services', CAST(window_start AS STRING) AS from_, COALESCE(service, '-') AS service, COUNT(*) AS sms
FROM TABLE(TUMBLE(TABLE sms, DESCRIPTOR(observed_at), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, service;

-- How long an SMS took from the provider to us, by provider: seconds, in minutes. Only where the provider says when it came, with its zone.
SELECT 'delays', CAST(window_start AS STRING) AS from_, provider, COUNT(*) AS sms,
  AVG(TIMESTAMPDIFF(SECOND, provider_time, observed_at)) AS mean, MAX(TIMESTAMPDIFF(SECOND, provider_time, observed_at)) AS longest
FROM TABLE(TUMBLE(TABLE sms, DESCRIPTOR(observed_at), INTERVAL '1' MINUTE))
WHERE provider_time_basis = 'stated' AND `freshness` = 'live'
GROUP BY window_start, window_end, provider;

-- The code for each order of yours, by the text that you gave with the watch. Orders are kept for longer than ids: they come once.
SELECT /*+ STATE_TTL('orders' = '365 d') */ 'codes', orders.customer, sms.code
FROM sms JOIN orders ON sms.client_ref = orders.client_ref
WHERE sms.code IS NOT NULL AND sms.`freshness` = 'live';
