"""Thuesen 2022: pictures of neurons, codings and filters (figure 2, sections 3.3, 3.4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    SERIES,
    SINGLE_COLUMN_MM,
    draw_published,
    in_style,
    legend_below,
    letter,
    look_of,
    new_figure,
    patch_handle,
    plain_log,
    protocol_handles,
    protocols_in,
    published_line,
    published_mark,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.thuesen2022.pictures import each_protocol

CURRENT = "input current $j$ (unitless)"
RATE_OF_J = "LIF rate $r(j)$"
SOFT_RATE_OF_J = r"soft rate $r_\rho(j)$"
# Number of neighbouring currents in one pixel column of the author's picture 2b; the extremes of a
# noisy curve grow with their number, so ours are taken over as many.
CURRENTS_PER_COLUMN = 33
# Precision with which the published curve was read from the picture (curves/README.md).
READING_HZ = 0.4
CODINGS = {"poisson_count": "Poisson counts", "lif_constant_current": "LIF, constant current"}
KERNELS = {
    "unit_area": "unit area",
    "printed": "as printed, eq. 40",
    "author_spacing": "author's spacing, 1.1 ms",
}
CRITERIA = {"mean_rate_error": "mean rate", "rms_rate_error": "rate at each instant (r.m.s.)"}


@in_style
def fig2a(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """LIF rate and smoothed rate against the current, and the limit of small gamma."""
    figure = new_figure(height_mm=72)
    whole, deviation, limit = figure.subplots(1, 3, width_ratios=(1.25, 1.0, 1.0))
    published_curves = {name: rows for name, rows in published.curve("fig2a").groupby("curve")}
    coded = table[(table["protocol"] == "as_coded") & (table["curve"] == "soft_rate")]
    gamma = coded["softplus_gamma"].iloc[0] if len(coded) else 0.02
    shown = table[(table["curve"] == "lif_rate") | np.isclose(table["softplus_gamma"], gamma)]
    dots = {"ls": "none", "ms": 3.0, "mew": 0.6, "markevery": 3}
    for look, curves, _ in reversed(list(each_protocol(shown))):
        for curve, source, marker, face in (
            ("lif_rate", "r", ".", look.colour),
            ("soft_rate", "r_smooth", "o", "white"),
        ):
            ours, theirs = curves[curves["curve"] == curve], published_curves[source]
            if ours.empty:
                continue
            whole.plot(ours["input_current"], ours["rate_hz"], color=look.colour, ls=look.line)
            at = theirs["input_current_j"].to_numpy()
            apart = np.interp(at, ours["input_current"], ours["rate_hz"]) - theirs["spike_rate_hz"]
            deviation.plot(at, apart, color=look.colour, marker=marker, mfc=face, **dots)
    for theirs in published_curves.values():
        draw_published(whole, theirs["input_current_j"], theirs["spike_rate_hz"])
    whole.annotate(SOFT_RATE_OF_J, (1.0, 11), (0.12, 24), arrowprops={"arrowstyle": "-", "lw": 0.5})
    whole.annotate(RATE_OF_J, (1.16, 25), (1.28, 12), arrowprops={"arrowstyle": "-", "lw": 0.5})
    _gamma_limit(limit, table)
    for axes in (whole, limit):
        axes.set(xlabel=CURRENT, ylabel="spike rate (Hz)")
    deviation.axhspan(-READING_HZ, READING_HZ, color=LIGHT_GREY, lw=0, zorder=0)
    deviation.set(xlabel=CURRENT, ylabel="ours − published (Hz)")
    letter(whole, "a", rf"rates, $\gamma$ = {gamma:g}")
    letter(deviation, "b", "distance to published")
    letter(limit, "c", r"limit $\gamma \to 0$ (corrected)")
    dots = {"ls": "none", "ms": 3.5}
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table), marker=None),
            published_line(),
            series_handle(SERIES[3], RATE_OF_J, marker=".", **dots),
            series_handle(SERIES[3], SOFT_RATE_OF_J, marker="o", mfc="white", **dots),
            patch_handle(LIGHT_GREY, f"reading precision ± {READING_HZ:g} Hz", 1.0),
        ],
        6,
    )
    return figure


def _gamma_limit(axes: Axes, table: pd.DataFrame) -> None:
    """Soft rate near the threshold for falling gamma, the LIF rate in black below it."""
    corrected = table[table["protocol"] == "corrected"]
    soft = corrected[corrected["curve"] == "soft_rate"]
    colour, lines = look_of("corrected").colour, ("-", (0, (4, 1)), (0, (2, 1)), (0, (1, 1)))
    gammas = list(soft.groupby("softplus_gamma"))[::-1]
    for index, (gamma, ours) in enumerate(gammas):
        style = {"alpha": 0.3 + 0.7 * index / max(len(gammas) - 1, 1), "ls": lines[index % 4]}
        style |= {"label": rf"$\gamma$ = {gamma:g}", "color": colour, "lw": 1.0}
        axes.plot(ours["input_current"], ours["rate_hz"], **style)
    hard = corrected[corrected["curve"] == "lif_rate"]
    axes.plot(hard["input_current"], hard["rate_hz"], color=GREY, lw=0.8, label=RATE_OF_J)
    axes.set(xlim=(0.7, 1.3), ylim=(-1, 45))
    axes.legend(loc="upper left", handlelength=2.0)


@in_style
def fig2b(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Theoretical against simulated spike rate: Poisson counts and simulated LIF neurons."""
    figure = new_figure(height_mm=84)
    rates, deviation = figure.subplots(1, 2)
    curves = published.curve("fig2b")
    theory = table.groupby("input_current")["theoretical_rate_hz"].first().sort_index()
    rates.plot(theory.index, theory, color=GREY, lw=1.0)
    handles = [series_handle(SERIES[3], RATE_OF_J, marker=None, ls="-", lw=1.0)]
    counts = table[table["coding"] == "poisson_count"]
    if len(counts):
        band, colour = _envelope(counts), SERIES[2].colour
        for axes, base in ((rates, band["theory"]), (deviation, 0.0)):
            low, high = base + band["low"], base + band["high"]
            axes.fill_between(band["current"], low, high, color=colour, alpha=0.35, lw=0)
        handles.append(patch_handle(colour, f"{CODINGS['poisson_count']}, extremes", 0.35))
    for source in ("simulated_min", "simulated_max"):
        theirs = curves[curves["curve"] == source]
        x, y = theirs["input_current_j"], theirs["spike_rate_hz"]
        draw_published(rates, x, y)
        draw_published(deviation, x, y - np.interp(x, theory.index, theory))
    handles.append(published_line(label="published extremes of Poisson counts"))
    handles += _draw_lif(rates, deviation, table)
    deviation.axhline(0.0, color=GREY, lw=1.0)
    rates.set(xlabel=CURRENT, ylabel="spike rate (Hz)")
    deviation.set(xlabel=CURRENT, ylabel="simulated − theoretical rate (Hz)")
    letter(rates, "a", "spike rate")
    letter(deviation, "b", "distance to the theory")
    legend_below(figure, handles, 3)
    return figure


def _envelope(counts: pd.DataFrame) -> pd.DataFrame:
    """Extremes of the deviation from the theory among neighbouring points, as many as published."""
    counts = counts.sort_values(["input_current", "repetition"])
    counts = counts.assign(deviation=counts["rate_hz"] - counts["theoretical_rate_hz"])
    size = min(CURRENTS_PER_COLUMN, len(counts))
    return counts.groupby(np.minimum(np.arange(len(counts)) // size, len(counts) // size - 1)).agg(
        current=("input_current", "mean"),
        theory=("theoretical_rate_hz", "mean"),
        low=("deviation", "min"),
        high=("deviation", "max"),
    )


def _draw_lif(rates: Axes, deviation: Axes, table: pd.DataFrame) -> list:
    """Simulated LIF neurons: mean and standard deviation over repetitions."""
    handles = []
    simulated = table[table["coding"] == "lif_simulation"]
    groups = [
        (SERIES[index % 2], f"LIF, Poisson input {rate:g} Hz", group)
        for index, (rate, group) in enumerate(simulated.groupby("input_rate_hz"))
    ]
    constant = table[table["coding"] == "lif_constant_current"]
    if len(constant):
        groups.append((SERIES[3], CODINGS["lif_constant_current"], constant))
    width = np.ptp(table["input_current"]) / 160
    for (look, label, group), shift in zip(groups, (-width, width, 0.0), strict=False):
        columns = {"rate_hz": ["mean", "std"], "theoretical_rate_hz": ["first"]}
        points = (
            group.groupby("input_current").agg(columns).set_axis(["mean", "sd", "theory"], axis=1)
        )
        points = points.iloc[:: -(-len(points) // 16)]
        style = {"fmt": look.marker, "color": look.colour, "ms": 3.2, "elinewidth": 0.9}
        spread = points["sd"] if points["sd"].notna().any() else None
        for axes, base in ((rates, 0.0), (deviation, points["theory"])):
            at = points.index + shift
            axes.errorbar(at, points["mean"] - base, yerr=spread, capsize=1.6, zorder=5, **style)
        spread_note = " ± s.d." if group["repetition"].nunique() > 1 else ""
        handles.append(series_handle(look, label + spread_note, ls="none"))
    return handles


@in_style
def fig2c(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Scaled soft rate against ReLU, and the derivatives of both."""
    figure = new_figure(height_mm=78)
    panels = figure.subplots(1, 2)
    curves = published.curve("fig2c")
    for axes, kind in zip(panels, ("", "_derivative"), strict=True):
        names = [f"relu{kind}", f"scaled_soft_rate{kind}"]
        for look, chosen, _ in reversed(list(each_protocol(table))):
            for name in names:
                ours = chosen[chosen["curve"] == name]
                axes.plot(ours["input"], ours["value"], color=look.colour, ls=look.line)
        for name in names:
            theirs = curves[curves["curve"] == name]
            draw_published(axes, theirs["input"], theirs["activation"])
    values, slopes = panels
    values.set(xlabel=CURRENT, ylabel="activation (unitless)")
    slopes.set(xlabel=CURRENT, ylabel="derivative of the activation (unitless)")
    values.text(8.6, 9.2, "ReLU", ha="right")
    values.text(8.9, 7.0, r"0.05 $r_\rho(j)$", ha="center")
    slopes.text(7.6, 1.06, "ReLU", ha="left")
    slopes.text(5.2, 0.36, r"0.05 $r_\rho'(j)$", ha="right")
    letter(values, "a", "activation")
    letter(slopes, "b", "derivative")
    legend_below(figure, [*protocol_handles(protocols_in(table), marker=None), published_line()])
    return figure


@in_style
def alpha_filter_tau(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Rate error against the time constant of the alpha filter, and the published kernel."""
    figure = new_figure(height_mm=78)
    criteria = [name for name in CRITERIA if name in set(table["criterion"])]
    *panels, last = figure.subplots(1, 1 + len(criteria), squeeze=False)[0]
    tau_ms = 1e3 * float(published.values("claim.alpha_filter_tau")["tau_s_s"])
    table = table.assign(tau_ms=1e3 * table["tau_s"])
    looks = dict(zip(KERNELS, SERIES, strict=False))
    for axes, criterion, name in zip(panels, criteria, "ab", strict=False):
        for kernel, look in looks.items():
            chosen = table[(table["criterion"] == criterion) & (table["kernel"] == kernel)]
            if len(chosen):
                data = draw_mean_line(axes, chosen, "tau_ms", "error_hz", look, marker=False)
                best = data.loc[data["mean"].idxmin(), ["tau_ms", "mean"]]
                axes.plot(*best, marker=look.marker, color=look.colour, ls="none")
        axes.axvline(tau_ms, color=PUBLISHED_COLOUR, lw=0.9, ls=PUBLISHED_LINE)
        plain_log(axes, "x", _nice_ticks(table["tau_ms"]))
        plain_log(axes, "y")
        axes.set(xlabel=r"time constant $\tau_s$ (ms)", ylabel="error of the estimated rate (Hz)")
        letter(axes, name, CRITERIA[criterion])
    kernel, time = published.curve("alpha_filter"), np.linspace(0.0, 11.0, 221)
    printed = looks["printed"]
    alpha = time / tau_ms * np.exp(-time / tau_ms)
    last.plot(time, alpha, color=printed.colour, ls=printed.line)
    dot = {"marker": "o", "markersize": 4.0, "markeredgewidth": 0.9}
    style = {"color": PUBLISHED_COLOUR, "mfc": "none", "ls": "none", **dot}
    last.plot(kernel["time_ms"], kernel["value"], **style)
    last.set(xlabel="time (ms)", ylabel=r"$\alpha(t)$ of eq. 40 (unitless)")
    letter(last, "abc"[len(criteria)], rf"kernel, $\tau_s$ = {tau_ms:g} ms")
    drawn = [name for name in KERNELS if name in set(table["kernel"])]
    handles = [series_handle(looks[name], KERNELS[name]) for name in drawn]
    handles += [
        series_handle(SERIES[3], "minimum", marker="o", ls="none"),
        published_line(label=rf"published $\tau_s$ = {tau_ms:g} ms"),
        published_mark(label="published kernel", marker="o"),
    ]
    handles[-1].set(**dot)
    legend_below(figure, [*handles, *seed_handles(table)], 3)
    return figure


def _nice_ticks(values: pd.Series) -> list[float]:
    """Round ticks 1, 2, 5 of the decades that ``values`` span."""
    low, high = values.min(), values.max()
    ticks = [digit * 10.0**power for power in range(-6, 7) for digit in (1, 2, 5)]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


@in_style
def poisson_noise(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Standard error of a rate read from Poisson spikes against the duration."""
    figure = new_figure(SINGLE_COLUMN_MM, 84)
    axes = figure.subplots()
    handles = []
    durations = np.geomspace(table["duration_s"].min(), table["duration_s"].max(), 50)
    for index, (rate, group) in enumerate(table.groupby("rate_hz")):
        look = SERIES[index % len(SERIES)]
        axes.plot(durations, np.sqrt(rate / durations), color=GREY, lw=0.8, zorder=1)
        draw_mean_points(axes, group, "duration_s", "standard_error_hz", look)
        handles.append(series_handle(look, f"{rate:g} Hz", ls="none"))
    slope = {"marker": None, "ls": "-", "lw": 0.8}
    handles.append(series_handle(SERIES[3], r"$\sqrt{r/T}$, slope −1/2", **slope))
    handles += seed_handles(table, dots=True)
    ticks = _nice_ticks(table["duration_s"])
    plain_log(axes, "x", ticks if len(ticks) < 8 else ticks[:: len(ticks) // 6])
    plain_log(axes, "y")
    axes.grid(which="major", color=LIGHT_GREY, lw=0.5)
    axes.set_axisbelow(True)
    axes.set(xlabel="duration $T$ of the spike train (s)", ylabel="standard error of the rate (Hz)")
    legend_below(figure, handles, 2)
    return figure
