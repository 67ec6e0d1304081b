-- Lines that could not be curated, by the day the job met them and by reason.
SELECT year || '-' || month || '-' || day AS date, reason, COUNT(*) AS lines
FROM "app_logs_db"."rejects"
GROUP BY 1, 2
ORDER BY date DESC, lines DESC
