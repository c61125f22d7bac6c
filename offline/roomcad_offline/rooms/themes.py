"""What stands in which kind of room: a list of steps for the planner of layout.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Sides of the room [m] and its furniture, most important first."""

    short: tuple[float, float]  # range of the shorter side
    long: tuple[float, float]  # range of the longer side
    steps: tuple[tuple[str, str, int, int], ...]  # (placement, class, fewest, most)


THEMES = {
    "living": Theme(
        (3.6, 5.0),
        (4.5, 6.5),
        (
            ("seating", "sofa", 1, 2),
            ("television", "cabinet", 1, 1),
            ("wall", "bookshelf", 0, 2),
            ("dining", "table", 0, 1),
            ("wall", "cabinet", 0, 2),
            ("free", "chair", 0, 3),
            ("corner", "bin", 0, 1),
        ),
    ),
    "office": Theme(
        (3.6, 5.5),
        (4.5, 7.0),
        (
            ("workplace", "desk", 1, 4),
            ("wall", "bookshelf", 0, 2),
            ("dining", "table", 0, 1),
            ("wall", "cabinet", 1, 2),
            ("corner", "bin", 1, 2),
            ("seating", "sofa", 0, 1),
            ("free", "chair", 0, 2),
        ),
    ),
    "bedroom": Theme(
        (3.3, 4.5),
        (3.8, 5.5),
        (
            ("wall", "bed", 1, 2),
            ("wall", "cabinet", 1, 2),
            ("workplace", "desk", 0, 1),
            ("wall", "bookshelf", 0, 1),
            ("television", "cabinet", 0, 1),
            ("free", "chair", 0, 2),
            ("corner", "bin", 0, 1),
        ),
    ),
    "bathroom": Theme(
        (2.8, 3.8),
        (3.4, 4.8),
        (
            ("wall", "bathtub", 1, 1),
            ("wall", "toilet", 1, 1),
            ("wall", "cabinet", 0, 2),
            ("corner", "bin", 1, 1),
            ("free", "chair", 0, 1),
        ),
    ),
    "dining": Theme(
        (3.6, 5.0),
        (4.5, 6.5),
        (
            ("dining", "table", 1, 2),
            ("wall", "cabinet", 1, 2),
            ("wall", "bookshelf", 0, 1),
            ("seating", "sofa", 0, 1),
            ("corner", "bin", 0, 1),
        ),
    ),
    "studio": Theme(
        (4.5, 6.0),
        (5.5, 7.5),
        (
            ("wall", "bed", 1, 1),
            ("seating", "sofa", 1, 1),
            ("workplace", "desk", 1, 1),
            ("dining", "table", 1, 1),
            ("television", "cabinet", 1, 1),
            ("wall", "bookshelf", 0, 2),
            ("wall", "toilet", 0, 1),
            ("wall", "bathtub", 0, 1),
            ("wall", "cabinet", 0, 2),
            ("corner", "bin", 1, 2),
            ("free", "chair", 0, 2),
        ),
    ),
}
