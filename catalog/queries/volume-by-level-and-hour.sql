-- Events by hour and level, newest first, the levels that the curated logs leave out too.
SELECT date_trunc('hour', minute) AS hour, level, SUM(event_count) AS events
FROM "${DatabaseName}"."log_minutes"
GROUP BY 1, 2
ORDER BY hour DESC, events DESC
