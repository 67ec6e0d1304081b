-- Every curated event of one trace in its order: the ? is the trace id.
-- ? trace_id string: the trace, 32 hexadecimal digits
SELECT timestamp, service, level, http_method, endpoint, status_code, response_time_ms, error_type, message
FROM "${DatabaseName}"."logs"
WHERE trace_id = ?
ORDER BY timestamp
