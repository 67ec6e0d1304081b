-- The twenty client addresses with the most requests to the API gateway, raw, with their errors and bytes.
SELECT client_ip, COUNT(*) AS requests, COUNT_IF(status_code >= 400) AS failed, SUM(response_bytes) AS response_bytes
FROM "${DatabaseName}"."api_gateway"
WHERE client_ip IS NOT NULL
GROUP BY client_ip
ORDER BY requests DESC
LIMIT 20
