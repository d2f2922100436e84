-- Behind the tables of `smsbus schema export --format flink -`, in Flink's SQL client.

-- How long ids are remembered: the topic keeps records for 7 to 8 days.
SET 'table.exec.state.ttl' = '9 d';

-- With `-f` the client prints rows in no other way.
SET 'sql-client.execution.result-mode' = 'tableau';

-- Each SMS once, whatever came twice. The first one counts, so nothing that was said is taken back.
CREATE TEMPORARY VIEW sms AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen) AS nth
  FROM (SELECT *, PROCTIME() AS seen FROM sms_received)
) WHERE nth = 1;
