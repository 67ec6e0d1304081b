"""Listings of real objects on the endpoint."""

import uuid
from typing import Any

import pytest

from localcloud.jobs.arguments import Place
from localcloud.jobs.listing import Listed, Listing

pytestmark = pytest.mark.local

DAY = "logs/payment/year=2026/month=11/day=21/"


class Bucket:
    """A bucket, and a listing of its `logs/` that counts its requests."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.name = f"listing-{uuid.uuid4().hex[:12]}"
        self.requests: list[dict[str, Any]] = []
        s3.create_bucket(Bucket=self.name)
        s3.meta.events.register("provide-client-params.s3.ListObjectsV2", self._note)
        self.listing = Listing(lambda: s3, Place(self.name, "logs/"))

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.requests.append(dict(params))

    def put(self, *keys: str) -> None:
        for key in keys:
            self.s3.put_object(Bucket=self.name, Key=key, Body=b"x")

    def listed(self, thorough: bool = False) -> set[str]:
        self.requests.clear()
        return {item.key for item in self.listing.objects(thorough)}

    def not_due(self) -> None:
        self.listing._due = float("inf")

    def cool(self, folder: str) -> None:
        self.listing._newest[folder] = 0.0


@pytest.fixture
def bucket(endpoint: Any) -> Bucket:
    return Bucket(endpoint.client("s3"))


def test_first_listing_is_whole(bucket: Bucket) -> None:
    bucket.put(DAY + "1", "logs/x", "elsewhere/1")

    assert bucket.listed() == {DAY + "1", "logs/x"}


def test_listing_again_finds_new_objects_of_hot_folders_and_new_folders(bucket: Bucket) -> None:
    bucket.put(DAY + "1")
    bucket.listed()
    bucket.not_due()
    fresh = {DAY + "2", DAY.replace("21", "22") + "1", "logs/payment/year=2027/month=01/day=01/1", "logs/audit/a/b/1"}
    bucket.put(*fresh)

    assert bucket.listed() >= fresh
    assert not any(request["Prefix"] == "logs/" and "Delimiter" not in request for request in bucket.requests)


def test_object_in_an_old_folder_is_found_by_the_next_whole_listing(bucket: Bucket) -> None:
    old = DAY.replace("21", "01")
    bucket.put(DAY + "1", old + "1")
    bucket.listed()
    bucket.not_due()
    bucket.cool(old)
    bucket.put(old + "late")

    assert old + "late" not in bucket.listed()
    assert old + "late" in bucket.listed(thorough=True)


def test_whole_listing_is_due_again_after_twenty_times_its_duration(bucket: Bucket) -> None:
    bucket.put(DAY + "1")
    bucket.listed()
    bucket.listing._due = 0.0

    assert bucket.listing.objects(thorough=False) == [Listed(DAY + "1", 1, pytest.approx(bucket.listing._newest[DAY]))]
    assert bucket.listing._due > 0.0
