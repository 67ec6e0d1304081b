"""Pieces of pages: plain functions from values to Dash components; no ids but those they are given."""
