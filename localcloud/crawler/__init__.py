"""The Glue crawler: lists S3 targets, infers schemas, and keeps the Glue catalog's tables and partitions up to date."""

from localcloud.crawler.engine import CrawlerEngine, build

__all__ = ["CrawlerEngine", "build"]
