#!/usr/bin/env python3
"""Draws a results file of libsolve: convergence curves, slices of solutions on grids, transport plans."""

import argparse
import os
import re
import sys
import textwrap

try:
    import h5py
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    import libsolve_plot_fields as choice
    import libsolve_plot_transport as transport
except ImportError as error:
    if not os.environ.get("LIBSOLVE_PLOT_TRIES"):
        print(f"{sys.executable}: {error}", file=sys.stderr)
    sys.exit(77)  # the program tries the next Python, and says what is missing when none is left

INK = "#22303c"
FAINT = "#d9dee3"
COLOURS = ["#1f6fb4", "#d9622b", "#2a8f5b", "#8a4fa3", "#b0892a", "#4b8f9c"]


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def style():
    plt.rcParams.update({
        "font.size": 10, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
        "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
        "axes.titlesize": 11, "axes.titleweight": "bold", "figure.dpi": 100, "savefig.dpi": 150,
        "legend.frameon": False, "axes.grid": False,
    })


def unit_suffix(units):
    return "" if units in ("", "dimensionless") else f" [{units}]"


def residual_columns(history):
    """Columns that tell of convergence: positive somewhere, named like a residual or an error."""
    words = ("residual", "error", "violation", "gradient", "gap", "norm")
    names = [n for n in history if n not in ("iteration", "seconds")]
    chosen = [n for n in names if any(w in n for w in words)]
    chosen = chosen or names
    return [n for n in chosen if np.any(np.nan_to_num(history[n][:]) > 0)]


def tolerance(file, name):
    """An option of the method, from the resolved case."""
    part = text(file["case/resolved"][()]).split("[method]", 1)[-1].split("\n[", 1)[0]
    found = re.search(rf"^{name} = (\S+)$", part, re.MULTILINE)
    return float(found.group(1)) if found else None


def draw_convergence(axes, file):
    history, report = file["history"], file["report"]
    iteration = history["iteration"][:]
    names = residual_columns(history)
    for name, colour in zip(names, COLOURS * (1 + len(names) // len(COLOURS))):
        values = history[name][:].astype(float)
        values[~(values > 0)] = np.nan
        few = len(iteration) <= 60
        axes.semilogy(iteration, values, color=colour, lw=1.8, marker="o" if few else None, ms=4,
                      label=name.replace("_", " "))
    deciding = {"relative_residual": "relative_tolerance", "marginal_violation": "tolerance"}
    goals = [tolerance(file, option) for measure, option in deciding.items() if measure in names]
    for goal in filter(None, goals):
        axes.axhline(goal, color=INK, lw=1, ls=(0, (4, 3)), label=f"tolerance {goal:g}")
    if names:
        axes.legend(loc="best")
        axes.grid(True, which="major", color=FAINT, lw=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.get_major_locator().set_params(integer=True)
    else:
        axes.text(0.5, 0.5, "no history", ha="center", va="center", transform=axes.transAxes)
    axes.set_xlabel("iteration")
    axes.set_ylabel(names[0].replace("_", " ") if len(names) == 1 else "measure")
    if len(iteration):
        axes.margins(x=0.02)
    count = int(report.attrs["iterations"])
    seconds = ""
    if "solve_seconds" in file.get("metrics", {}):
        seconds = f", {file['metrics/solve_seconds'][()]:.3g} s"
    axes.set_title(f"{text(report.attrs['status'])}: {count} iteration{'' if count == 1 else 's'}{seconds}",
                   loc="left")


def is_sequence(file):
    """A sequence of systems by a tuned solver: its history has a row for each system."""
    return "history/cost" in file and "history/value" in file


def draw_costs(axes, file):
    cost = file["history/cost"][:]
    system = np.arange(len(cost))
    axes.plot(system, cost, color=COLOURS[0], lw=0, marker=".", ms=3, label="cost")
    if "history/best_cost" in file:
        axes.plot(system, file["history/best_cost"][:], color=INK, lw=0, marker=".", ms=1.5,
                  label="best value for this system")
    axes.set_xlabel("system")
    axes.set_ylabel("cost")
    if len(cost) and cost.max() > 20 * max(cost.min(), 1e-300):
        axes.set_yscale("log")
    axes.legend(loc="best", markerscale=3)
    axes.grid(True, color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    status = text(file["report"].attrs["status"])
    mean = f", {cost.mean():.4g} each in the mean" if len(cost) else ""
    axes.set_title(f"{status}: {len(cost)} systems{mean}", loc="left")


def draw_regret(axes, file):
    """What was paid beyond the best fixed value in hindsight and the best value of each system."""
    cost = file["history/cost"][:]
    arm_costs = file["checkpoint/method/arm_costs"][:][:len(cost)]
    arms = file["checkpoint/method/arms"][:]
    cost = cost[len(cost) - len(arm_costs):]  # a resumed run has only its own history
    system = np.arange(1, len(cost) + 1)
    fixed = int(np.argmin(arm_costs.sum(axis=0)))
    axes.plot(system, np.cumsum(cost - arm_costs[:, fixed]), color=COLOURS[0], lw=1.8,
              label=f"over the best fixed value, {arms[fixed]:.4g}")
    axes.plot(system, np.cumsum(cost - arm_costs.min(axis=1)), color=COLOURS[1], lw=1.8,
              label="over the best value of each system")
    axes.axhline(0.0, color=INK, lw=1, ls=(0, (4, 3)))
    axes.set_xlabel("systems")
    axes.set_ylabel("cumulative regret")
    axes.legend(loc="best")
    axes.grid(True, color=FAINT, lw=0.8)
    axes.set_axisbelow(True)


def draw_choices(axes, file):
    value, context = file["history/value"][:], file["history/context"][:]
    dots = axes.scatter(np.arange(len(value)), value, c=context, s=5, cmap="viridis", linewidths=0)
    axes.figure.colorbar(dots, ax=axes, label="context", pad=0.01).outline.set_visible(False)
    axes.set_xlabel("system")
    axes.set_ylabel("chosen value")
    axes.grid(True, color=FAINT, lw=0.8)
    axes.set_axisbelow(True)


def solid_cells(file, shape):
    """The mask of solid cells, where the file has one of the field's shape."""
    for group in ("data", "solution"):
        if group not in file:
            continue
        for name in ("solid", "mask", "solid_cells"):
            if name in file[group] and file[group][name].shape == shape:
                return file[group][name][()] != 0
    return None


def colour_range(values):
    """Limits and map: two-sided around zero where the field changes sign. A few cells far out, such as
    closed pockets between solids, do not take the colours from the rest."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0, "viridis"
    low, high = float(finite.min()), float(finite.max())
    inner_low, inner_high = np.percentile(finite, [0.2, 99.8])
    if inner_high > inner_low:
        if high - inner_high > 0.3 * (inner_high - inner_low):
            high = float(inner_high)
        if inner_low - low > 0.3 * (inner_high - inner_low):
            low = float(inner_low)
    if low < 0 < high and min(-low, high) > 0.05 * max(-low, high):
        bound = max(-low, high)
        return -bound, bound, "RdBu_r"
    if low == high:
        pad = abs(low) or 1.0
        return low - 0.5 * pad, high + 0.5 * pad, "viridis"
    return low, high, "viridis"


def slices_of(dataset):
    """(title, horizontal axis, vertical axis, plane) of the mid-slices along the axes that are used."""
    nz, ny, nx = dataset.shape
    used = [n > 1 for n in (nx, ny, nz)]
    if used == [True, True, True]:
        return [("z", 0, 1, nz // 2, lambda d, k: d[k, :, :]),
                ("y", 0, 2, ny // 2, lambda d, k: d[:, k, :]),
                ("x", 1, 2, nx // 2, lambda d, k: d[:, :, k])]
    if used[0] and used[1]:
        return [(None, 0, 1, 0, lambda d, k: d[0, :, :])]
    if used[0] and used[2]:
        return [(None, 0, 2, 0, lambda d, k: d[:, 0, :])]
    if used[1] and used[2]:
        return [(None, 1, 2, 0, lambda d, k: d[:, :, 0])]
    return []


def draw_slices(figure, spec, file, path):
    dataset = file[path]
    name = path.split("/")[-1]
    origin = np.array(dataset.attrs.get("origin", [0.0, 0.0, 0.0]))
    spacing = np.array(dataset.attrs.get("spacing", [1.0, 1.0, 1.0]))
    cells = dataset.shape[::-1]
    names = text(dataset.attrs.get("axis_names", b"")).ljust(3) if "axis_names" in dataset.attrs else "xyz"
    label = f"{name}{unit_suffix(text(dataset.attrs.get('units', b'')))}"
    solid = solid_cells(file, dataset.shape)
    planes = slices_of(dataset)
    if not planes:  # one-dimensional
        axes = figure.add_subplot(spec)
        axis = int(np.argmax(cells))
        axes.plot(origin[axis] + (np.arange(cells[axis]) + 0.5) * spacing[axis],
                  dataset[()].ravel(), color=COLOURS[0], lw=1.8)
        axes.set_xlabel(names[axis])
        axes.set_ylabel(label)
        axes.set_title(name, loc="left")
        axes.grid(True, color=FAINT, lw=0.8)
        return
    images = []
    for title, h, v, k, cut in planes:
        plane = np.array(cut(dataset, k), dtype=float)
        if solid is not None:
            plane[cut(solid, k)] = np.nan
        images.append(plane)
    values = np.concatenate([p.ravel() for p in images])
    low, high, colours = colour_range(values)
    above, below = np.nanmax(values, initial=low) > high, np.nanmin(values, initial=high) < low
    extend = "both" if above and below else "max" if above else "min" if below else "neither"
    colours = plt.get_cmap(colours).copy()
    colours.set_bad("#8c949c")
    if len(planes) == 1:
        inner = spec.subgridspec(1, 3, wspace=0.06, width_ratios=[1.0, 0.035, 0.3])
    else:
        inner = spec.subgridspec(1, len(planes) + 1, wspace=0.38,
                                 width_ratios=[1.0] * len(planes) + [0.04])
    for at, ((title, h, v, k, cut), plane) in enumerate(zip(planes, images)):
        axes = figure.add_subplot(inner[0, at])
        extent = [origin[h], origin[h] + cells[h] * spacing[h],
                  origin[v], origin[v] + cells[v] * spacing[v]]
        image = axes.imshow(plane, origin="lower", extent=extent, cmap=colours, vmin=low, vmax=high,
                            interpolation="nearest", aspect="equal")
        ratio = (extent[1] - extent[0]) / max(extent[3] - extent[2], 1e-300)
        if not 0.1 < ratio < 10:
            axes.set_aspect("auto")
        for side in axes.spines.values():
            side.set_visible(True)
        axes.set_xlabel(names[h])
        axes.set_ylabel(names[v])
        if title:
            axis = "xyz".index(title)
            place = origin[axis] + (k + 0.5) * spacing[axis]
            axes.set_title(f"{name} at {names[axis]} = {place:.4g}", loc="left", fontsize=10)
        else:
            axes.set_title(name, loc="left")
        axes.locator_params(nbins=4)
    bar = figure.colorbar(image, cax=figure.add_subplot(inner[0, len(planes)]), extend=extend)
    bar.set_label(label if label != name else "")
    bar.formatter.set_powerlimits((-3, 4))
    bar.outline.set_visible(False)


def is_grid(dataset):
    return dataset.ndim == 3 and "spacing" in dataset.attrs and dataset.size > 1


def is_plane(dataset):
    return sum(extent > 1 for extent in dataset.shape) == 2


def rows_of_fields(file):
    """(rows, left out): paths of the fields on grids to be drawn, row by row, and names of those for
    which there is no room. What the solution has comes first, then data (stored with `data = true`)."""
    fields, left_out = [], []
    for group, rows in choice.MAX_ROWS.items():
        names = [n for n in file.get(group, {}) if n not in choice.MASKS and is_grid(file[f"{group}/{n}"])]
        drawn, rest = choice.chosen(names, 2 * rows, lambda n: 1 if is_plane(file[f"{group}/{n}"]) else 2)
        fields += [f"{group}/{n}" for n in drawn]
        left_out += rest
    return choice.rows_of(fields, lambda path: is_plane(file[path])), left_out


def draw(path, picture):
    style()
    with h5py.File(path, "r") as file:
        rows, left_out = rows_of_fields(file)
        curves = [draw_convergence]
        if is_sequence(file):
            curves = [draw_costs, draw_choices]
            if "checkpoint/method/arm_costs" in file:
                curves.insert(1, draw_regret)
        pictures = transport.panels(file) if transport.is_transport(file) else []
        heights = [height for height, _ in pictures] + [3.4] * len(curves)
        heights += [3.3 if min(file[names[0]].shape) > 1 else 4.6 for names in rows]
        figure = plt.figure(figsize=(10.5, sum(heights) + 0.9))
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0.38,
                                   left=0.08, right=0.9, bottom=0.6 / (sum(heights) + 0.9),
                                   top=1.0 - 1.05 / (sum(heights) + 0.9))
        row = iter(range(len(heights)))
        for _, picture_of in pictures:
            picture_of(figure, grid[next(row)], file)
        for curve in curves:
            curve(figure.add_subplot(grid[next(row)]), file)
        for names in rows:
            spec = grid[next(row)]
            parts = spec.subgridspec(1, 2, wspace=0.0) if is_plane(file[names[0]]) else [spec]
            for part, name in zip(parts, names):
                draw_slices(figure, part, file, name)
        report = file["report"].attrs
        total = sum(heights) + 0.9
        draw_title(figure, 1.0 - 0.28 / total, text(report.get("problem", "")))
        reason = textwrap.fill(text(report.get("reason", "")), 135, max_lines=2)
        figure.text(0.08, 1.0 - 0.44 / total, reason, fontsize=9.5, va="top", color="#5b6670")
        if left_out:
            figure.text(0.08, 0.12 / total, textwrap.fill("not drawn: " + ", ".join(left_out), 135, max_lines=2),
                        fontsize=9.5, va="bottom", color="#5b6670")
        figure.savefig(picture, facecolor="white")


def draw_title(figure, height, words):
    """One line over the width of the figure; long ones whole, in smaller letters."""
    title = figure.text(0.08, height, words, fontsize=13, fontweight="bold", va="center")
    room = 0.9 * figure.bbox.width / max(title.get_window_extent().width, 1.0)
    title.set_fontsize(13 * min(1.0, room))
    return title


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--output", help="picture, or the folder for it")
    arguments = parser.parse_args()
    stem = os.path.splitext(arguments.file)[0]
    if arguments.file.endswith(".partial"):
        stem = arguments.file
    picture = stem + ".png"
    if arguments.output:
        picture = arguments.output
        if os.path.isdir(picture) or picture.endswith(os.sep) or not os.path.splitext(picture)[1]:
            picture = os.path.join(picture, os.path.basename(stem) + ".png")
    try:
        os.makedirs(os.path.dirname(picture) or ".", exist_ok=True)
        draw(arguments.file, picture)
    except (OSError, KeyError, ValueError) as error:
        print(f"libsolve plot: {arguments.file}: {error}", file=sys.stderr)
        return 2
    print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
