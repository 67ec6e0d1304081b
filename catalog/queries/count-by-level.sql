-- Events by service and level, every level counted, most frequent first.
SELECT service, level, SUM(event_count) AS count
FROM "${DatabaseName}"."log_minutes"
GROUP BY service, level
ORDER BY count DESC
