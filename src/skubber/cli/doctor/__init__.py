"""``skubber doctor``: looks at everything that a server needs, and says what to mend."""
