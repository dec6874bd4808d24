"""What a checker found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A rule that was broken: a short name, where, and what was seen."""

    rule: str
    where: str
    seen: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.seen}"


@dataclass
class Report:
    """Violations in the order found, and how often each rule was looked at."""

    violations: list[Violation] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=dict)

    def expect(self, holds: bool, rule: str, where: str, seen: str) -> bool:
        """Notes that `rule` was looked at, and a violation unless it holds."""
        self.looked[rule] = self.looked.get(rule, 0) + 1
        if not holds:
            self.violations.append(Violation(rule, where, seen))
        return holds

    def rules_broken(self) -> set[str]:
        return {violation.rule for violation in self.violations}

    def __str__(self) -> str:
        shown = [str(violation) for violation in self.violations[:20]]
        more = len(self.violations) - len(shown)
        if more > 0:
            shown.append(f"... and {more} more")
        return "\n".join(shown) or "no violation"
