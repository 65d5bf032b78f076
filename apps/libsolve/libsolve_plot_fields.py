"""Which fields on grids libsolve_plot.py draws, and in what order. Names alone decide; no packages needed."""

import re

MASKS = ("solid", "mask", "solid_cells")
ROLES = (("state", "final", "density"), ("control", "parameter", "velocity", "initial"), (),
         ("adjoint",), ("target", "data"))  # (): names without a role
MAX_ROWS = {"solution": 4, "data": 3}


def natural(name):
    """Sorts state_8 before state_16."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def role_of(name):
    """(rank, stem): fields of one stem are members of one quantity, at several times or axes."""
    for word in name.split("_"):
        for rank, words in enumerate(ROLES):
            if word in words:
                return rank, word
    return ROLES.index(()), re.sub(r"_\d+$", "", name)


def chosen(names, room, size=lambda name: 1):
    """(drawn, left out) of `names`, where `name` takes size(name) of `room`: of every stem the first
    member, then of every stem the second if all of them have room, and so on. A first member that has
    no room is left out. Both in drawing order: by role, then by name."""
    members = {}
    for name in sorted(names, key=natural):
        members.setdefault(role_of(name), []).append(name)
    order = sorted(members, key=lambda stem: (stem[0], natural(stem[1])))
    drawn, at = set(), 0
    while any(at < len(members[stem]) for stem in order):
        turn = [members[stem][at] for stem in order if at < len(members[stem])]
        if at > 0 and sum(map(size, turn)) > room:
            break
        for name in turn:
            if size(name) <= room:
                room -= size(name)
                drawn.add(name)
        at += 1
    ordered = [name for stem in order for name in members[stem]]
    return [n for n in ordered if n in drawn], [n for n in ordered if n not in drawn]


def rows_of(names, is_plane):
    """Rows of a figure: planes in pairs, everything else alone."""
    rows, half = [], None
    for name in names:
        if not is_plane(name):
            rows.append([name])
        elif half is None:
            half = [name]
            rows.append(half)
        else:
            half.append(name)
            half = None
    return rows
