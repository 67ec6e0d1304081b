-- The fifty latest micro-batches of the job: what they read, wrote and left out, and how long they took.
SELECT run_id, batch_id, started_at, date_diff('second', started_at, finished_at) AS seconds, input_objects, input_rows,
       log_rows, minute_rows, reject_rows, duplicate_rows, dropped_level_rows, newest_received_at
FROM "${DatabaseName}"."runs"
ORDER BY finished_at DESC
LIMIT 50
