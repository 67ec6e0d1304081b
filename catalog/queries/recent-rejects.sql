-- What the job could not curate, by reason, with the newest example's object.
SELECT reason, COUNT(*) AS lines, MAX(rejected_at) AS last_seen, MAX_BY(source_object, rejected_at) AS example_object
FROM "${DatabaseName}"."rejects"
GROUP BY reason
ORDER BY lines DESC
