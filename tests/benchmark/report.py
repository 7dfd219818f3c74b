"""Figures as Markdown tables, and the chart."""

import os
import platform
import statistics
import subprocess
from pathlib import Path


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def spread(values: list[float]) -> list[str]:
    return [number(statistics.median(values)), number(min(values)), number(max(values))]


def ratio(values: list[float], others: list[float]) -> str:
    """Round by round, because neighbouring runs had the same conditions; the median of that, and its extremes."""
    if len(values) != len(others):
        return "–"
    ratios = [value / other for value, other in zip(values, others)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f})"


def with_extremes(values: list[float]) -> str:
    """Like `spread`, in one cell."""
    return f"{number(statistics.median(values))} ({number(min(values))} – {number(max(values))})" if values else "–"


def difference(values: list[float], others: list[float]) -> str:
    """Round by round, like `ratio`."""
    if len(values) != len(others):
        return "–"
    return with_extremes([value - other for value, other in zip(values, others)])


def first_line(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = done.stdout.strip().splitlines()
    return lines[0] if lines else "unknown"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def facts(versions: dict[str, list[str]]) -> str:
    """The machine, and what `versions` says for each name."""
    lines = [f"- {os.cpu_count()} cores, {processor()}", f"- kernel {platform.release()}",
             *(f"- {name}: {first_line(command)}" for name, command in versions.items())]
    return "\n".join(lines) + "\n"


def draw_chart(path: Path, costs: dict[str, list[float]], user: dict[str, list[float]]) -> None:
    """CPU time per request: medians, divided into program and kernel, with whiskers from minimum to maximum."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "causeway"  # so that the same figures give the same file
    from matplotlib import pyplot

    names = sorted(costs, key=lambda name: -statistics.median(costs[name]))
    total = [statistics.median(costs[name]) for name in names]
    program = [statistics.median(user[name]) for name in names]
    whiskers = [[middle - min(costs[name]) for name, middle in zip(names, total)],
                [max(costs[name]) - middle for name, middle in zip(names, total)]]

    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.5 * len(names)))
    axes.barh(names, program, color="#2f6f9f", label="in the program")
    axes.barh(names, [all - part for all, part in zip(total, program)], left=program, color="#a9c7dd",
              label="in the kernel, for it", xerr=whiskers, error_kw={"ecolor": "#333333", "capsize": 3})
    for name, middle, over in zip(names, total, whiskers[1]):
        axes.annotate(number(middle), (middle + over, name), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_xlabel("CPU time per request, µs (median; whiskers: minimum and maximum)")
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
