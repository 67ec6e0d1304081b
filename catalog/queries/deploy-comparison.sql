-- Events, error rate and mean response time by service, the hour before a deploy and after it: the ? is its moment.
-- ? deploy timestamp now-1h: moment of the deploy
WITH deploy AS (
  SELECT MAX(minute) AS moment FROM "${DatabaseName}"."log_minutes" WHERE minute <= CAST(? AS timestamp)
)
SELECT service, IF(minute < moment, 'before', 'after') AS side, SUM(event_count) AS events,
       ROUND(1e2 * SUM(IF(level IN ('ERROR', 'CRITICAL'), event_count, 0)) / SUM(event_count), 2) AS error_percent,
       ROUND(SUM(response_time_ms_sum) / SUM(IF(response_time_ms_sum IS NOT NULL, event_count)), 1) AS mean_ms
FROM "${DatabaseName}"."log_minutes" CROSS JOIN deploy
WHERE minute >= moment - INTERVAL '1' HOUR AND minute < moment + INTERVAL '1' HOUR
GROUP BY 1, 2
ORDER BY service, side DESC
