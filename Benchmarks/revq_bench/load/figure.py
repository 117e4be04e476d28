"""What a scenario found."""

import typing


class Figure(typing.NamedTuple):
    """One line of the table. `holds` says whether it is as wanted; None where nothing is wanted of it."""

    what: str
    value: str
    wanted: str = ""
    holds: bool | None = None


def at_least(what, value, least, form=".2f"):
    return Figure(what, format(value, form), f"≥ {format(least, form)}", value >= least)


def at_most(what, value, most, form=".2f"):
    return Figure(what, format(value, form), f"≤ {format(most, form)}", value <= most)
