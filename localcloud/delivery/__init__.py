"""Firehose: delivery streams that really deliver, with AWS's stages in AWS's order.

put → spool (on disk, then acknowledged) → KPL and record de-aggregation → Lambda → metadata extraction → delimiter →
buffer per partition (on disk) → compression → one S3 object per buffer, or one error object.
"""

from localcloud.delivery.engine import build

__all__ = ["build"]
