"""The command line: ``main`` is the ``skubber`` command."""

from skubber.cli.main import main as main
