"""What a program that has ended has left behind."""

import os
import pathlib


def left_running(directory):
    """Ids of the processes that were started in this directory and live."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(directory):
                found.append(entry.name)
        except OSError:  # it has just ended
            pass
    return found
