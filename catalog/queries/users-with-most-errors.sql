-- The twenty users that met the most errors, and the kinds of error they met.
SELECT user_id, COUNT(*) AS errors, array_join(array_sort(array_agg(DISTINCT error_type)), ', ') AS error_types
FROM "${DatabaseName}"."logs"
WHERE level IN ('ERROR', 'CRITICAL') AND user_id IS NOT NULL
GROUP BY user_id
ORDER BY errors DESC, user_id
LIMIT 20
