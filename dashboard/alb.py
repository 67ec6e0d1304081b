"""The signed header of an Application Load Balancer that has logged someone in (OIDC or Cognito).

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html: a JWT in
`x-amzn-oidc-data`, signed ES256 with a key by `kid` from the region's key server; `signer` is the balancer's ARN.
"""

import re
import urllib.request
from collections.abc import Callable
from typing import Any

HEADER = "x-amzn-oidc-data"
_KID = re.compile(r"[0-9a-fA-F-]{20,64}")


class Alb:
    """Verifies headers of one balancer; its keys are fetched once each."""

    def __init__(self, arn: str, fetch: Callable[[str], bytes] | None = None) -> None:
        self.arn = arn
        self._region = arn.split(":")[3] if arn.count(":") >= 5 else ""
        self._fetch = fetch or self._from_key_server
        self._keys: dict[str, bytes] = {}

    def person_name(self, header: str) -> str | None:
        """Return the e-mail, else the subject, of whoever the balancer logged in; None when the header is not its."""
        import jwt

        try:
            head: dict[str, Any] = jwt.get_unverified_header(header)
            if head.get("signer") != self.arn or not _KID.fullmatch(str(head.get("kid", ""))):
                return None
            claims = jwt.decode(header, self._key(head["kid"]), algorithms=["ES256"], options={"require": ["exp"]})
        except (jwt.PyJWTError, OSError, ValueError):
            return None
        return str(claims.get("email") or claims.get("sub") or "") or None

    def _key(self, kid: str) -> Any:
        if kid not in self._keys:
            self._keys[kid] = self._fetch(kid)
        return self._keys[kid]

    def _from_key_server(self, kid: str) -> bytes:
        address = f"https://public-keys.auth.elb.{self._region}.amazonaws.com/{kid}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            found: bytes = answer.read()
            return found
