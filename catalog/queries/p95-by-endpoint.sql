-- 95th percentile of the response time by endpoint, within 2.5 percent, from the rollup's histogram.
WITH buckets AS (
  SELECT service, endpoint, bucket, SUM(events) AS events
  FROM "${DatabaseName}"."log_minutes" CROSS JOIN UNNEST(latency_histogram) AS t(bucket, events)
  GROUP BY service, endpoint, bucket
), ranked AS (
  SELECT *, SUM(events) OVER (PARTITION BY service, endpoint ORDER BY bucket) AS seen,
         SUM(events) OVER (PARTITION BY service, endpoint) AS requests
  FROM buckets
)
SELECT service, endpoint, MAX(requests) AS requests, ROUND(POWER(1.05, MIN(bucket) + 0.5), 1) AS p95_ms
FROM ranked
WHERE seen >= 0.95 * requests
GROUP BY service, endpoint
ORDER BY p95_ms DESC
