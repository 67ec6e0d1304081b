-- Errors and error rate by day and service, newest first.
SELECT CAST(minute AS date) AS date, service,
       SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) AS errors,
       ROUND(1e2 * SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) / SUM(event_count), 2) AS error_percent
FROM "${DatabaseName}"."log_minutes"
GROUP BY 1, 2
ORDER BY date DESC, errors DESC
