"""``skubber bench``: measures a server, and draws what it measured.

``measurement.py`` runs the processes of ``skubber.load``, ``tally.py`` adds up what they report, ``judging.py`` makes
of it what ``result.py`` describes.
"""
