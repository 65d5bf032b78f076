"""Pictures of transport plans, for libsolve_plot.py: the plan, displacements, images, colours."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm

SOURCE, TARGET = "#1f6fb4", "#d9622b"
MAX_LINES = 6000
MAX_DOTS = 200000


class Plan:
    """Stored entries of the plan, the heaviest first."""

    def __init__(self, file):
        solution = file["solution"]
        self.n, self.m = len(solution["f"]), len(solution["g"])
        self.row = solution["plan_row"][:].astype(int)
        self.column = solution["plan_column"][:].astype(int)
        self.value = solution["plan_value"][:]
        order = np.argsort(-self.value, kind="stable")
        self.row, self.column, self.value = self.row[order], self.column[order], self.value[order]


def is_transport(file):
    return "solution/f" in file and "solution/g" in file


def panels(file):
    """[(height in inches, function(figure, spec, file))] for what this file can show: the plan, and,
    where it was run with `data = true` in [output], points and pictures."""
    if "solution/plan_value" not in file or not len(file["solution/plan_value"]):
        return []
    chosen = [(5.0, draw_plan)]
    if "data/source_image" in file and "data/x" in file:
        colours = file["data/x"].shape[1] == 3
        chosen.insert(0, (3.6, draw_colour_transfer) if colours else (2.6, draw_interpolation))
    elif "data/x" in file and file["data/x"].shape[1] >= 2:
        chosen.insert(0, (5.0, draw_displacement))
    return chosen


def places(file, name, count):
    """Places of points along the axis on which both clouds are widest: a plan in their order is a curve
    where the plan is one. The order given where there are no points, or they are pixels."""
    is_pixels = "data/source_image" in file and file["data/x"].shape[1] == 2
    if f"data/{name}" not in file or is_pixels:
        return np.arange(count), ""
    both = np.concatenate([file["data/x"][:], file["data/y"][:]])
    axis = np.linalg.svd(both - both.mean(axis=0), full_matrices=False)[2][0]
    rank = np.empty(count, dtype=int)
    rank[np.argsort(file[f"data/{name}"][:] @ axis, kind="stable")] = np.arange(count)
    return rank, ", in the order along the longest axis"


def draw_plan(figure, spec, file):
    plan = Plan(file)
    axes = figure.add_subplot(spec)
    shown = slice(min(len(plan.value), MAX_DOTS) - 1, None, -1)  # the heaviest last, on top
    size = np.clip(60000.0 / max(plan.n, plan.m) ** 1.5, 0.3, 40.0)
    share = plan.value / np.bincount(plan.row, weights=plan.value, minlength=plan.n)[plan.row]
    row, order = places(file, "x", plan.n)
    column, _ = places(file, "y", plan.m)
    dots = axes.scatter(column[plan.column[shown]], row[plan.row[shown]], c=share[shown], s=size,
                        cmap="viridis_r", norm=LogNorm(1e-3, 1.0), linewidths=0, rasterized=True)
    figure.colorbar(dots, cax=axes.inset_axes([1.02, 0.0, 0.035, 1.0]), label="part of the row's mass",
                    extend="min").outline.set_visible(False)
    axes.set_xlim(-0.5, plan.m - 0.5)
    axes.set_ylim(plan.n - 0.5, -0.5)
    axes.set_aspect("equal" if 0.2 < plan.n / plan.m < 5.0 else "auto", anchor="W")
    axes.set_xlabel("column" + order)
    axes.set_ylabel("row")
    axes.set_title(f"plan: {len(plan.value)} entries of mass {plan.value.sum():.6g} in all", loc="left")


def heaviest_of_rows(plan, count):
    """Indices of the `count` heaviest entries of every row."""
    order = np.lexsort((-plan.value, plan.row))
    row = plan.row[order]
    begin = np.searchsorted(row, np.arange(plan.n))
    return order[np.arange(len(row)) - begin[row] < count]


def draw_displacement(figure, spec, file):
    """Lines from every x to where most of its mass goes, as dark as the part that goes there, and one to
    the mean of those places."""
    plan = Plan(file)
    x, y = file["data/x"][:][:, :2], file["data/y"][:][:, :2]
    a, b = file["data/a"][:], file["data/b"][:]
    axes = figure.add_subplot(spec)
    shown = heaviest_of_rows(plan, max(1, MAX_LINES // plan.n))
    lines = np.stack([x[plan.row[shown]], y[plan.column[shown]]], axis=1)
    colours = np.zeros((len(lines), 4))
    colours[:, :3] = [0.13, 0.19, 0.24]
    most = np.zeros(plan.n)
    np.maximum.at(most, plan.row, plan.value)
    colours[:, 3] = 0.3 * plan.value[shown] / most[plan.row[shown]]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.6, rasterized=True))
    mean, has_mass = barycentric_map(plan, y)
    lines = np.stack([x, mean], axis=1)[has_mass]
    axes.add_collection(LineCollection(lines, colors=SOURCE, linewidths=1.0, rasterized=True))
    dot = np.clip(4000.0 / max(plan.n, plan.m), 2.0, 30.0)
    axes.scatter(*x.T, s=dot * a / a.mean(), color=SOURCE, linewidths=0, label="x", zorder=3)
    axes.scatter(*y.T, s=dot * b / b.mean(), color=TARGET, linewidths=0, label="y", zorder=3)
    axes.set_aspect("equal", anchor="W")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), markerscale=2)
    more = "" if file["data/x"].shape[1] == 2 else ", first two axes"
    axes.set_title("where the mass goes" + more, loc="left")


def splat(points, weights, height, width):
    """Masses at (column, row) on a grid of pixels, shared by the four nearest."""
    image = np.zeros((height, width))
    u, v = points[:, 0] - 0.5, points[:, 1] - 0.5
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    for di in (0, 1):
        for dj in (0, 1):
            part = (1 - np.abs(u - i - di)) * (1 - np.abs(v - j - dj))
            np.add.at(image, (np.clip(j + dj, 0, height - 1), np.clip(i + di, 0, width - 1)),
                      weights * part)
    return image


def show(axes, image, title):
    if image.ndim == 2:
        axes.imshow(image, cmap="gray", vmin=0.0, interpolation="nearest")
    else:
        axes.imshow(np.clip(image, 0.0, 1.0), interpolation="nearest")
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


def draw_interpolation(figure, spec, file):
    """The masses on their way: every entry of the plan at (1 - t) x + t y."""
    plan = Plan(file)
    x, y = file["data/x"][:], file["data/y"][:]
    images = [file["data/source_image"], file["data/target_image"]]
    height, width = (max(i.shape[k] for i in images) for k in (0, 1))
    times = [0.0, 0.25, 0.5, 0.75, 1.0]
    inner = spec.subgridspec(1, len(times), wspace=0.06)
    start, end = x[plan.row], y[plan.column]
    for at, t in enumerate(times):
        image = splat((1 - t) * start + t * end, plan.value, height, width)
        name = {0.0: "source", 1.0: "target"}.get(t, f"t = {t:g}")
        show(figure.add_subplot(inner[0, at]), image, name)


def barycentric_map(plan, y):
    """x_i -> the mean of the places to which its mass goes, over the stored entries."""
    mass = np.bincount(plan.row, weights=plan.value, minlength=plan.n)
    mapped = np.stack([np.bincount(plan.row, weights=plan.value * y[plan.column, d], minlength=plan.n)
                       for d in range(y.shape[1])], axis=1)
    return mapped / np.maximum(mass, 1e-300)[:, None], mass > 0


def by_neighbours(colours, x, displacement, neighbours=8):
    """Colours moved by the displacement of the points near them, weights 1 / distance^2."""
    moved = np.empty_like(colours)
    neighbours = min(neighbours, len(x))
    for begin in range(0, len(colours), 2048):
        part = slice(begin, begin + 2048)
        square = ((colours[part, None, :] - x[None, :, :]) ** 2).sum(axis=2)
        near = np.argpartition(square, neighbours - 1, axis=1)[:, :neighbours]
        weight = 1.0 / (np.take_along_axis(square, near, axis=1) + 1e-4)
        moves = (weight[:, :, None] * displacement[near]).sum(axis=1) / weight.sum(axis=1)[:, None]
        moved[part] = colours[part] + moves
    return moved


def fitted_exponent(plan, x, y, f, g):
    """s / eps where the plan is exp((f + g - s |x - y|^2) / eps), so where log P is linear in the squared
    distance and the potentials: else nothing."""
    use = slice(None, None, max(1, len(plan.value) // 5000))
    row, column, log_p = plan.row[use], plan.column[use], np.log(plan.value[use])
    square = ((x[row] - y[column]) ** 2).sum(axis=1)
    matrix = np.stack([f[row] + g[column], -square, np.ones(len(row))], axis=1)
    (inverse_eps, exponent, rest), *_ = np.linalg.lstsq(matrix, log_p, rcond=None)
    fits = np.abs(matrix @ [inverse_eps, exponent, rest] - log_p).max() < 1e-3
    return (inverse_eps, exponent) if fits and inverse_eps > 0 and exponent > 0 else None


def by_potentials(colours, y, g, inverse_eps, exponent):
    """The entropic map z -> sum_j w_j y_j / sum_j w_j, w_j = exp((g_j - C(z, y_j)) / eps): smooth, and at
    the points x the barycentric map of the plan (Pooladian and Niles-Weed 2021)."""
    moved = np.empty_like(colours)
    for begin in range(0, len(colours), 2048):
        part = slice(begin, begin + 2048)
        square = ((colours[part, None, :] - y[None, :, :]) ** 2).sum(axis=2)
        e = inverse_eps * g[None, :] - exponent * square
        weight = np.exp(e - e.max(axis=1, keepdims=True))
        moved[part] = weight @ y / weight.sum(axis=1, keepdims=True)
    return moved


def recoloured(image, plan, file, bins=64):
    """The map at every cell of a table of bins^3 colours that occurs; the rest of a pixel's colour stays."""
    x, y = file["data/x"][:], file["data/y"][:]
    f, g = file["solution/f"][:], file["solution/g"][:]
    cells = np.minimum((image.reshape(-1, 3) * bins).astype(int), bins - 1)
    keys, inverse = np.unique(cells @ [bins * bins, bins, 1], return_inverse=True)
    centres = (np.stack([keys // (bins * bins), keys // bins % bins, keys % bins], axis=1) + 0.5) / bins
    exponents = fitted_exponent(plan, x, y, f, g)
    if exponents:
        moved = by_potentials(centres, y, g, *exponents)
    else:
        mean, has_mass = barycentric_map(plan, y)
        moved = by_neighbours(centres, x[has_mass], (mean - x)[has_mass])
    return np.clip(image + (moved - centres)[inverse.ravel()].reshape(image.shape), 0.0, 1.0)


def colour_image(dataset):
    image = dataset[:]
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def draw_colour_transfer(figure, spec, file):
    source = colour_image(file["data/source_image"])
    after = recoloured(source, Plan(file), file)
    inner = spec.subgridspec(1, 3, wspace=0.05)
    titles = ["before", "colours of", "after"]
    for at, image in enumerate([source, colour_image(file["data/target_image"]), after]):
        show(figure.add_subplot(inner[0, at]), image, titles[at])
