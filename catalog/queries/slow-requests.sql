-- The hundred slowest requests of the API gateway above one second, raw.
SELECT timestamp, endpoint, response_time_ms, status_code
FROM "${DatabaseName}"."api_gateway"
WHERE response_time_ms > 1000
ORDER BY response_time_ms DESC
LIMIT 100
