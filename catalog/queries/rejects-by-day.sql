-- Lines that could not be curated, by the day the job met them and by reason.
SELECT year || '-' || month || '-' || day AS date, reason, COUNT(*) AS lines
FROM "${DatabaseName}"."rejects"
GROUP BY 1, 2
ORDER BY date DESC, lines DESC
