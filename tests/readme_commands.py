"""The two commands of the README, read from it: `run` and `test`. Prints one of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def readme_command(which: str) -> str:
    """The one-line command behind the marker `<!-- command: WHICH -->` of README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- command: {which} -->\s*```\w*\n(.+)\n```", text)
    if found is None:
        raise SystemExit(f"README.md has no one-line command after <!-- command: {which} -->")
    return found.group(1)


if __name__ == "__main__":
    print(readme_command(sys.argv[1]))
