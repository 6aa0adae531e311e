"""Sans-IO codecs: bytes to values and back. No I/O, no clock."""
