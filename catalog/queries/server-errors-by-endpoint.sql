-- Responses with a status of 500 and above by endpoint, and their share of its requests.
SELECT service, endpoint, SUM(IF(status_class = '5xx', event_count, 0)) AS server_errors,
       ROUND(1e2 * SUM(IF(status_class = '5xx', event_count, 0)) / SUM(event_count), 2) AS percent
FROM "${DatabaseName}"."log_minutes"
WHERE status_class IS NOT NULL
GROUP BY service, endpoint
HAVING SUM(IF(status_class = '5xx', event_count, 0)) > 0
ORDER BY server_errors DESC
