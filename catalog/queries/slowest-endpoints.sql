-- The twenty endpoints with the highest mean response time, and their slowest request.
SELECT service, endpoint, SUM(event_count) AS requests,
       ROUND(SUM(response_time_ms_sum) / SUM(event_count), 1) AS mean_ms, MAX(response_time_ms_max) AS max_ms
FROM "${DatabaseName}"."log_minutes"
WHERE endpoint IS NOT NULL AND response_time_ms_sum IS NOT NULL
GROUP BY service, endpoint
ORDER BY mean_ms DESC
LIMIT 20
