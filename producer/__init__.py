"""The continuous producer: generates log events and sends them to files, stdout, Kinesis or Firehose."""
