"""What a calibration found, as text for the terminal."""

from __future__ import annotations

from abm.study.fit import Fit
from abm.view.text import aligned, interval, number


def fit_text(fit: Fit) -> str:
    """Rows with their predictions, then each parameter: range, value before, value after with its 95 % interval."""
    rows: list[tuple[str, ...]] = [("published", "before", "after", "residual before", "after")]
    rows += [
        (f"  {row.id}: {row.observation}", *map(number, (row.before, row.after)),
         *(f"{value:.2f}" for value in (row.residual_before, row.residual_after)))
        for row in fit.rows
    ]  # fmt: skip
    table = [("parameter", "unit", "range", "before", "most probable", "after [95 % interval]", "")]
    for found in fit.parameters:
        prior, remark = found.prior, "" if found.identified else "not identified by the rows"
        table.append((
            f"  {prior.key}", "" if prior.unit == "1" else prior.unit, f"{number(prior.low)} to {number(prior.high)}",
            number(prior.value), number(found.most_probable), interval(found.value, found.low, found.high), remark,
        ))  # fmt: skip
    name = "sum of squared residuals" if fit.calibration.method == "least_squares" else "root mean square residual"
    left = f"; left out, as this method cannot predict them: {len(fit.left_out)}" if fit.left_out else ""
    best = fit.notes.get("cost_most_probable")
    left = (f", {number(best)} at the most probable values" if best is not None else "") + left
    widened = fit.notes.get("errors_widened_by", 1.0)
    if widened > 1.0:
        left += f"\nmore than the errors of the rows explain: intervals as of errors {widened:.2f} times as wide"
    costs = f"{name} of {len(fit.rows)} rows: {number(fit.cost_before)} before, {number(fit.cost_after)} after{left}"
    return "\n\n".join([aligned(rows), aligned(table), costs])
