-- Error rate by service and hour, the hours without errors too.
SELECT service, date_trunc('hour', minute) AS hour, SUM(event_count) AS events,
       ROUND(1e2 * SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) / SUM(event_count), 2) AS error_percent
FROM "${DatabaseName}"."log_minutes"
GROUP BY 1, 2
ORDER BY service, hour
