-- Errors of the API gateway by hour and status code, raw, newest first.
SELECT date_trunc('hour', from_iso8601_timestamp(timestamp)) AS hour, service, status_code, COUNT(*) AS error_count
FROM "${DatabaseName}"."api_gateway"
WHERE level = 'ERROR'
GROUP BY 1, 2, 3
ORDER BY hour DESC, error_count DESC
