-- Error types never seen before a moment: the ? is that moment, '2026-11-21 10:00:00' or a date.
-- ? since timestamp now-24h: moment before which an error type is old
SELECT *
FROM (
  SELECT error_type, service, MIN(timestamp) AS first_seen, COUNT(*) AS events, MAX_BY(message, timestamp) AS last_message
  FROM "${DatabaseName}"."logs"
  WHERE error_type IS NOT NULL
  GROUP BY error_type, service
)
WHERE first_seen >= CAST(? AS timestamp)
ORDER BY first_seen DESC
