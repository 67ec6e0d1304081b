"""The AWS account and region that a command works in, and AWS's refusals in plain words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from catalog.errors import SettingsError
from cloudformation.stack import StackError


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are there, and the clients a deployment needs."""

    id: str
    region: str
    cloudformation: Any
    s3: Any
    client: Callable[[str], Any]

    @classmethod
    def connect(cls) -> "Account":
        """Return the account of the credentials in use; boto3 reads them, the region and AWS_ENDPOINT_URL by itself."""
        session = boto3.Session()
        config = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60)
        impatient = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=10)  # is anybody there?
        identity = session.client("sts", config=impatient).get_caller_identity()
        client = cache(lambda service: session.client(service, config=config))
        return cls(identity["Account"], session.region_name, client("cloudformation"), client("s3"), client)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what boto3 raises into errors that say what must hold and what mends it."""
    try:
        yield
    except NoRegionError:
        raise SettingsError("a region must be set; run 'export AWS_DEFAULT_REGION=us-east-1'") from None
    except NoCredentialsError:
        raise SettingsError("AWS credentials must be set; run 'aws configure', or 'loglake up' for a laptop") from None
    except EndpointConnectionError as error:
        endpoint = error.kwargs["endpoint_url"]
        raise StackError(f"AWS must answer; got nothing from {endpoint}; for a laptop run 'loglake up'") from None
    except ClientError as error:
        detail = error.response.get("Error", {})
        reason = f"{detail.get('Code', 'an error')}: {detail.get('Message', error)}"
        raise StackError(f"AWS must accept {error.operation_name}; got {reason}") from error
    except BotoCoreError as error:
        raise StackError(f"AWS must be reachable; got {error}") from error
