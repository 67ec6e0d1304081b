"""Alerts: rules over the minute rollup, evaluated in a process of their own (`loglake alerts run`)."""
