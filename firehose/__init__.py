"""The record-transformation Lambda of the delivery stream."""
