"""What ``skubber bench`` makes its load with: clients that receive, and back ends that publish.

Processes of their own do that: one publishes, others have the clients. ``tasks.py`` is what they are told and
``reports.py`` what they tell; ``process.py`` is how their parent sees them. They import little, and so are there
at once.
"""
