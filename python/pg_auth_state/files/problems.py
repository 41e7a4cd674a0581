"""What can be wrong with a folder. Files are named, their content never shown."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InvalidInput

__all__ = ["FolderError", "Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one file: what is wrong with it, or why it was left out."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


class FolderError(InvalidInput):
    """A folder cannot be read as one account. `problems` names every file at fault."""

    def __init__(
        self,
        folder: object,
        problems: list[Note],
        *,
        company_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        first = str(problems[0])
        more = len(problems) - 1
        super().__init__(
            f"{folder} cannot be read as one account",
            detail=first if more == 0 else f"{first}; and {more} more",
            hint=hint,
            company_id=company_id,
        )
        self.problems = problems
