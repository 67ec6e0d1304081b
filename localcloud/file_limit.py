"""How many files a process of the chain may have open: it needs more than some shells allow at first."""

import resource

MIN_FILES = 1024
"""The endpoint alone holds some 200: connections, spools, DuckDB's files, pipes of drivers."""
WANTED_FILES = 8192


def raise_limit() -> None:
    """Let this process and its children have as many files open as they want, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_files() -> int:
    """Return how many files may be open once the limit is raised."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return WANTED_FILES if hard == resource.RLIM_INFINITY else hard
