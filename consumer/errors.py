"""What can go wrong in the consumer.

LoglakeError
└── ConsumerError      the consumer can't go on, and says why
    └── Stopped        it was told to stop while it waited for DynamoDB
"""

from catalog.errors import LoglakeError


class ConsumerError(LoglakeError):
    """The consumer can't go on."""


class Stopped(ConsumerError):
    """It was told to stop while it waited; what it had not written is read again from the checkpoint."""
