"""Reads Python files as trees."""

import ast
import gc
from pathlib import Path


def parsed(file: Path) -> ast.Module:
    """Return its tree, with the garbage collector at rest.

    Python 3.11 loses count of its depth where the garbage of others is collected meanwhile (gh-106905).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(file.read_text("utf-8"))
    finally:
        if was_on:
            gc.enable()
