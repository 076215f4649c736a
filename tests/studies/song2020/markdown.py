"""Reading tables that were written in Markdown."""


def cells(text: str) -> list[list[str]]:
    """Cells of the lines of all tables in a text, headers and all."""
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
