"""What every response carries: a content security policy without `unsafe-eval`, and the other protective headers."""

from collections.abc import Callable

from dash import Dash
from flask import Response, request

POLICY = (
    "default-src 'self'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def protect(app: Dash) -> None:
    """Add the headers to every response, and refuse requests that another site's page sent."""
    policy = lazily(
        lambda: POLICY.format(
            hashes=" ".join(f"'{text}'" if not text.startswith("'") else text for text in app.csp_hashes())
        )
    )

    @app.server.before_request
    def refuse_foreign_origins() -> tuple[str, int] | None:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        origin = request.headers.get("Origin")
        is_foreign = origin is not None and origin.partition("//")[2] != request.host
        if is_foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return "requests from other sites are refused", 403
        return None

    @app.server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = policy()
            response.headers["Cache-Control"] = "private, no-cache"  # a page opens with what its viewer may see
        return response


def lazily(compute: Callable[[], str]) -> Callable[[], str]:
    """Return a function that computes once, on its first call: Dash adds an inline script on its first request."""
    found: list[str] = []

    def value() -> str:
        if not found:
            found.append(compute())
        return found[0]

    return value
