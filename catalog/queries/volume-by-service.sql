-- Events, errors and error rate by service over everything the rollup holds.
SELECT service,
       SUM(event_count) AS events,
       SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) AS errors,
       ROUND(100.0 * SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) / SUM(event_count), 2) AS error_percent
FROM "${DatabaseName}"."log_minutes"
GROUP BY service
ORDER BY events DESC
