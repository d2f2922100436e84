-- Your orders: here a file that is read once, with you a topic or a table of a database.
CREATE TEMPORARY TABLE orders (client_ref STRING, customer STRING) WITH (
  'connector' = 'filesystem', 'path' = 'orders.csv', 'format' = 'csv'
);

-- The code for each order of yours, by the text that you gave with the watch. Orders are kept for longer than ids: they come once.
SELECT /*+ STATE_TTL('orders' = '365 d') */ 'codes', orders.customer, sms.code
FROM sms JOIN orders ON sms.client_ref = orders.client_ref
WHERE sms.code IS NOT NULL AND sms.`freshness` = 'live';
