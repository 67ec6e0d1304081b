-- Median, 95th and 99th percentile of the response time by service, from the rollup's histogram.
WITH buckets AS (
  SELECT service, bucket, SUM(events) AS events
  FROM "${DatabaseName}"."log_minutes" CROSS JOIN UNNEST(latency_histogram) AS t(bucket, events)
  GROUP BY service, bucket
), ranked AS (
  SELECT service, bucket, SUM(events) OVER (PARTITION BY service ORDER BY bucket) AS seen,
         SUM(events) OVER (PARTITION BY service) AS requests
  FROM buckets
)
SELECT service, MAX(requests) AS requests,
       ROUND(POWER(1.05, MIN(IF(seen >= 0.5 * requests, bucket)) + 0.5), 1) AS p50_ms,
       ROUND(POWER(1.05, MIN(IF(seen >= 0.95 * requests, bucket)) + 0.5), 1) AS p95_ms,
       ROUND(POWER(1.05, MIN(IF(seen >= 0.99 * requests, bucket)) + 0.5), 1) AS p99_ms
FROM ranked
GROUP BY service
ORDER BY p95_ms DESC
