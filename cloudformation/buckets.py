"""The S3 side of a deployment: the artifacts bucket, uploads, and emptying what a stack leaves behind.

Every call names the account that must own the bucket, so a bucket that a stranger made under our name is never used.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from catalog.errors import LoglakeError
from cloudformation.packaging import Artifact

_PURPOSES = ("raw", "lake", "results")


def artifacts_bucket(stack_name: str, account: str, region: str) -> str:
    """Return the name of the bucket that holds a stack's code."""
    return f"{stack_name}-artifacts-{account}-{region}"


def data_buckets(stack_name: str, account: str, region: str) -> tuple[str, ...]:
    """Return the names of the buckets that a stack keeps its data in, as the template names them."""
    return tuple(f"{stack_name}-{purpose}-{account}-{region}" for purpose in _PURPOSES)


def name_buckets_literally(template: str, stack_name: str, account: str, region: str) -> str:
    """Return the template with the buckets' names written out.

    CloudFormation takes over an existing bucket only if its name is a literal; the names are the same either way.
    """
    for purpose, name in zip(_PURPOSES, data_buckets(stack_name, account, region), strict=True):
        template = template.replace(f"!Sub '${{AWS::StackName}}-{purpose}-${{AWS::AccountId}}-${{AWS::Region}}'", name)
    return template


def bucket_exists(s3: Any, bucket: str, account: str) -> bool:
    """Say whether we own the bucket; raise `LoglakeError` if another account does."""
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            return False
        if status == 403:
            raise LoglakeError(
                f"the bucket must belong to account {account} and be readable; got 'forbidden' for {bucket!r}; "
                "deploy under another --stack-name, or with credentials that may read it"
            ) from None
        raise
    return True


def ensure_artifacts_bucket(s3: Any, bucket: str, account: str, region: str) -> bool:
    """Create the artifacts bucket, private, encrypted and TLS-only, unless we have it; say whether it was created."""
    if bucket_exists(s3, bucket, account):
        return False
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **place)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_policy(Bucket=bucket, Policy=_tls_only(bucket, region))
    return True


def upload_missing(s3: Any, bucket: str, account: str, artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Upload the artifacts whose key is not there yet; return those."""
    missing = tuple(artifact for artifact in artifacts if not _object_exists(s3, bucket, account, artifact.key))
    for artifact in missing:
        s3.put_object(
            Bucket=bucket,
            Key=artifact.key,
            Body=artifact.body,
            ChecksumAlgorithm="SHA256",
            ExpectedBucketOwner=account,
        )
    return missing


def upload_template(s3: Any, bucket: str, account: str, template: str) -> str:
    """Put a template into the artifacts bucket under its digest; return the URL that CloudFormation reads."""
    body = template.encode()
    key = f"templates/{hashlib.sha256(body).hexdigest()[:32]}.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256", ExpectedBucketOwner=account)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def delete_bucket(s3: Any, bucket: str, account: str) -> int:
    """Delete the bucket and all that is in it, old versions too; return how many objects that were."""
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, ExpectedBucketOwner=account):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not found:
            continue
        names = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True}, ExpectedBucketOwner=account)
        if answer.get("Errors"):
            first = answer["Errors"][0]
            raise LoglakeError(
                f"the bucket must be empty to be deleted: {bucket}; got {first['Message']!r} for {first['Key']!r}"
            )
        deleted += len(names)
    s3.delete_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    return deleted


def _object_exists(s3: Any, bucket: str, account: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _tls_only(bucket: str, region: str) -> str:
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    arn = f"arn:{partition}:s3:::{bucket}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
