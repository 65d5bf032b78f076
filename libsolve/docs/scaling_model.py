#!/usr/bin/env python3
"""What one iteration of flexible-cg with multigrid sends between ranks: scaling.md explains it.

  scaling_model.py CELLS_PER_RANK_AND_AXIS PX PY PZ

prints messages and bytes of the rank that sends most, constant coefficients, V(2,2)."""
import itertools
import sys

WIDTH = 8           # cells around: two sweeps before and after, two colours each
FEWEST = 16 - 2     # thinner boxes go to fewer ranks
DIRECT = 600        # unknowns of the direct solver


def cuts(n, parts, multiple=2):
    while multiple * 16 * parts <= n and multiple < 64:
        multiple *= 2
    return [0] + [int(n * p / parts / multiple + 0.5) * multiple for p in range(1, parts)] + [n]


class Grid:
    """Cells cut by planes; the process at (p, q, r) is rank stride (p + P (q + Q r))."""

    def __init__(self, axis_cuts, stride):
        self.cuts, self.stride = axis_cuts, stride
        self.n = [c[-1] for c in axis_cuts]
        self.p = [len(c) - 1 for c in axis_cuts]

    def boxes(self):
        for at in itertools.product(*(range(p) for p in self.p)):
            rank = self.stride * (at[0] + self.p[0] * (at[1] + self.p[1] * at[2]))
            yield rank, [(self.cuts[a][at[a]], self.cuts[a][at[a] + 1]) for a in range(3)]

    def around(self, box, width):
        return [(max(0, b - width), min(n, e + width)) for (b, e), n in zip(box, self.n)]

    def halved(self):
        return Grid([[(c + 1) // 2 for c in axis] for axis in self.cuts], self.stride)

    def fitted(self, ranks):
        p, fits = list(self.p), True
        for a in range(3):
            c = self.cuts[a]
            if p[a] == 1:
                continue
            thinnest = min(c[i + 1] - c[i] for i in range(p[a]))
            if thinnest >= FEWEST and all(x % 2 == 0 for x in c[1:-1]):
                continue
            fits = False
            while p[a] > 1 and self.n[a] / p[a] < 16:
                p[a] = (p[a] + 1) // 2
        if fits:
            return self
        count = p[0] * p[1] * p[2]
        return self.on(p, ranks // count)

    def on(self, p, stride):
        return Grid([cuts(n, q) if q > 1 else [0, n] for n, q in zip(self.n, p)], stride)


def exchange(sent, source, targets, size):
    """`targets`: box wanted by each rank; owners send what they have of it to other ranks."""
    for rank, wanted in targets:
        ranges = []
        for a in range(3):
            c = source.cuts[a]
            ranges.append([(i, min(c[i + 1], wanted[a][1]) - max(c[i], wanted[a][0]))
                           for i in range(source.p[a])
                           if min(c[i + 1], wanted[a][1]) > max(c[i], wanted[a][0])])
        for (i, x), (j, y), (k, z) in itertools.product(*ranges):
            owner = source.stride * (i + source.p[0] * (j + source.p[1] * k))
            if owner != rank:
                messages, data = sent.get(owner, (0, 0))
                sent[owner] = (messages + 1, data + x * y * z * size)


def iteration(n, p):
    ranks = p[0] * p[1] * p[2]
    grid = Grid([cuts(m, q, 1) for m, q in zip(n, p)], 1)
    sent, exchanges = {}, 2
    for rank, box in grid.boxes():  # the product: one plane of doubles to each neighbour
        for a in range(3):
            plane = 1
            for b in range(3):
                plane *= box[b][1] - box[b][0] if b != a else 1
            for side in (0, 1):
                if 0 < box[a][side] < grid.n[a]:
                    messages, data = sent.get(rank, (0, 0))
                    sent[rank] = (messages + 1, data + 8 * plane)
    level = grid.fitted(ranks)
    wanted = [(r, level.around(b, WIDTH)) for r, b in level.boxes()]
    exchange(sent, grid, wanted, 4)
    exchange(sent, level, list(grid.boxes()), 4)
    while level.p != [1, 1, 1] and level.n[0] * level.n[1] * level.n[2] > DIRECT:
        coarse = level.halved()
        small = coarse.n[0] * coarse.n[1] * coarse.n[2] <= DIRECT
        below = coarse.on([1, 1, 1], ranks) if small else coarse.fitted(ranks)
        width = 0 if below.p == [1, 1, 1] else WIDTH
        exchange(sent, coarse, [(r, below.around(b, width)) for r, b in below.boxes()], 4)
        halves = [(r, [(x // 2, (y + 1) // 2) for x, y in level.around(b, WIDTH)])
                  for r, b in level.boxes()]
        exchange(sent, below, halves, 4)
        exchanges += 2
        level = below
    return max(m for m, _ in sent.values()), max(d for _, d in sent.values()), exchanges


if __name__ == "__main__":
    cells, p = int(sys.argv[1]), [int(a) for a in sys.argv[2:5]]
    messages, data, exchanges = iteration([cells * q for q in p], p)
    print(f"{p[0] * p[1] * p[2]} ranks of {cells}^3: {messages} messages, {data / 1e3:.1f} kB, "
          f"{exchanges} exchanges one after the other")
