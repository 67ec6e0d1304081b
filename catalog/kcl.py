"""The Kinesis Client Library's jars, which the package amazon_kclpy carries: whether they are here, how to get them."""

from importlib.util import find_spec
from pathlib import Path

DAEMON_JAR = "amazon-kinesis-client-multilang-"
HOW = "run 'pip install \"loglake[kcl]\"', which fetches them from Maven Central"


def jars() -> list[Path]:
    """Return the jars; none when amazon_kclpy is not installed, or was installed without them."""
    spec = find_spec("amazon_kclpy")
    if spec is None or spec.origin is None:
        return []
    found = sorted((Path(spec.origin).parent / "jars").glob("*.jar"))
    return found if any(jar.name.startswith(DAEMON_JAR) for jar in found) else []


def version(found: list[Path]) -> str:
    """Return the KCL's version, as its daemon's jar names it."""
    names = [jar.stem for jar in found if jar.name.startswith(DAEMON_JAR)]
    return names[0].removeprefix(DAEMON_JAR) if names else ""
