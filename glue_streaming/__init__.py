"""The curation stage: a PySpark job that turns raw objects into the lake's tables, and the commands that start it."""
