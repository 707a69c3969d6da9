"""Signals that ask a process to end."""

import signal
from collections.abc import Mapping

ENDINGS: Mapping[signal.Signals, str] = {
    getattr(signal, name): word
    for name, word in (("SIGTERM", "terminated"), ("SIGHUP", "hung up"))
    if hasattr(signal, name)
}
"""As a scheduler does at its time limit, and a terminal that is closed; in words."""
