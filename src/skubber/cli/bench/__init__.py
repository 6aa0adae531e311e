"""``skubber bench``: measures a server with clients of its own, and draws what it measured.

One process publishes, others have the subscribers (``tasks.py`` says what each is told, ``reports.py`` what it tells);
``measurement.py`` runs them, and makes of their reports what ``result.py`` describes.
"""
