-- Curated events that were received more than five minutes after they happened, by service and day.
SELECT service, CAST(timestamp AS date) AS date, COUNT(*) AS late_events,
       MAX(date_diff('second', timestamp, received_at)) AS latest_seconds
FROM "${DatabaseName}"."logs"
WHERE received_at > timestamp + INTERVAL '5' MINUTE
GROUP BY 1, 2
ORDER BY late_events DESC
