"""The PySpark job that curates raw objects into the tables of the lake."""
