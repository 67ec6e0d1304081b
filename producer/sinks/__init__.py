"""Where events go: files, stdout, Kinesis or Firehose, behind one interface."""

from producer.sinks.sink import Sink

__all__ = ["Sink"]
