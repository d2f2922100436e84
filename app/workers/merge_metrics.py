"""Many processes' metrics as one Prometheus text. Pure."""

from collections.abc import Mapping
from typing import Final

LABEL: Final = "process"


def merged(parts: Mapping[str, str]) -> str:
    """Merge the expositions of the processes: each family once, each sample with its process as a label.

    The parts are of `text/plain; version=0.0.4`: each family's HELP and TYPE precede its samples.
    """
    heads: dict[str, dict[str, str]] = {}
    samples: dict[str, list[str]] = {}
    for process, text in parts.items():
        family = ""
        for line in text.splitlines():
            if line.startswith("#"):
                _, kind, family, *_ = line.split(" ", 3)
                heads.setdefault(family, {}).setdefault(kind, line)
            else:
                samples.setdefault(family, []).append(_labelled(line, process))
    blocks = [[*heads[family].values(), *samples.get(family, ())] for family in heads]
    return "".join(f"{line}\n" for block in blocks for line in block)


def _labelled(sample: str, process: str) -> str:
    name, brace, labels = sample.partition("{")
    if brace:
        return f'{name}{{{LABEL}="{process}",{labels}'
    name, _, value = sample.partition(" ")
    return f'{name}{{{LABEL}="{process}"}} {value}'
