"""Break a running `loglake up` in every way a laptop can, and count what its user would see of it.

plan.py      what is done when: drawn from the seed alone
laptop.py    the `loglake up` under test: its processes by role, its URLs, its end
faults.py    what is done to it: kill -9, SIGSTOP, a full disk, another clock, few files
readers.py   readers that count the tables all the while
recovery.py  when a process that was killed works again
messages.py  what a user finds on the terminal and in the logs
report.py    the figures and the violations
"""
