"""Markdown tables."""


def table(head, rows, left=1):
    """Lines of a table; the first `left` columns are aligned left, the others right."""
    marks = ["---"] * left + ["---:"] * (len(head) - left)
    return [line(head), line(marks), *map(line, rows)]


def line(cells):
    return f"| {' | '.join(map(str, cells))} |"


def number(value, digits=1):
    """A number with so many digits, or a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def not_run(why):
    """The text of a row without a result."""
    return f"not run: {why}"
