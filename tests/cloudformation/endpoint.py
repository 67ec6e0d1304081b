"""The emulator with CloudFormation made right, served by the tests; no engine in front of it."""

from ministack.app import app

from localcloud.provisioners import install

install()

__all__ = ["app"]
