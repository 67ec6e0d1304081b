"""The live consumer: from the stream to ten-second counters and a ring of recent events in DynamoDB."""
