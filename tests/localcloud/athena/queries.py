"""SQL over the raw lake that more than one file asks."""

COUNT_RAW = """
SELECT service, level, COUNT(*) AS count
FROM "app_logs_db"."api_gateway"
GROUP BY service, level
ORDER BY count DESC
"""
