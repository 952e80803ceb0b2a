"""What can go wrong, each with the exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterable

from allocator.findings import Finding


class AllocatorError(Exception):
    """Anything the program reports in one line; `exit_code` is the command's."""

    exit_code = 1


class Usage(AllocatorError):  # noqa: N818  a word of the command line
    """The command was called wrongly."""

    exit_code = 2


class BadData(AllocatorError):  # noqa: N818  a word of the command line
    """The input tables hold errors; `findings` has every one of them and the warnings."""

    exit_code = 3

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class RulesConflict(AllocatorError):  # noqa: N818  a word of the command line
    """The award rules cannot all hold."""

    exit_code = 4


class NoPlan(AllocatorError):  # noqa: N818  a word of the command line
    """The search ended at a limit without any plan."""

    exit_code = 5


class AuditFailed(AllocatorError):  # noqa: N818  a word of the command line
    """The audit found a plan to break a rule or to misstate a cost."""

    exit_code = 6
