"""The emulator with CloudFormation made right, served by the tests; no engine in front of it."""

from ministack.app import app

from localcloud import provisioners
from tests.cloudformation import stand_ins

provisioners.install()
stand_ins.install()

__all__ = ["app"]
