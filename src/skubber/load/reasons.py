"""Why something with the network did not work, for people."""

import errno
import os
import ssl


def reason(error: BaseException) -> str:
    """What an error says, as the end of a sentence; the event loops each have their own words for the same."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
        if error.errno == errno.EADDRNOTAVAIL:
            return "this machine has no more ports for connections to that address (net.ipv4.ip_local_port_range)"
        return os.strerror(error.errno or 0)
    return ((error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__).rstrip(".")
