"""The data contract: event schema, table definitions, named queries, settings and errors. Imports no stage."""
