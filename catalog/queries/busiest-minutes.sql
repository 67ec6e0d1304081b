-- The twenty minutes with the most events, and the service that wrote most of them.
SELECT minute, SUM(events) AS events, MAX_BY(service, events) AS busiest_service, MAX(events) AS its_events
FROM (SELECT minute, service, SUM(event_count) AS events FROM "${DatabaseName}"."log_minutes" GROUP BY minute, service)
GROUP BY minute
ORDER BY events DESC, minute
LIMIT 20
