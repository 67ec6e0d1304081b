-- Events of the API gateway by service and level, raw, most frequent first.
SELECT service, level, COUNT(*) AS count
FROM "${DatabaseName}"."api_gateway"
GROUP BY service, level
ORDER BY count DESC
