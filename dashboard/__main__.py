"""`python -m dashboard`: the same as `loglake dashboard`."""

from dashboard.cli import dashboard

dashboard()
