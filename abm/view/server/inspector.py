"""One neuron as HTML: its nucleosomes, transcripts, stores, receptors, inputs, and its history."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import numpy as np

from abm.metric_names import PROMOTERS, REGIONS
from abm.metrics import METRICS
from abm.signals import SIGNALS
from abm.view.server.arm import FOLLOWED, Arm
from abm.view.server.courses import OWN, Line, Row, stack
from abm.view.server.scene import title
from abm.view.text import number

BOX = {-1: ("#5e3c99", "repressed"), 0: ("#e6e6e6", "unmodified"), 1: ("#e66101", "acetylated")}
STORES = (
    ("bdnf_pro", "proBDNF dimers"), ("bdnf_protein", "mature BDNF dimers stored"),
    ("release_rate", "BDNF dimers released per hour"),
)  # fmt: skip
RECEPTORS = (
    ("trkb_surface", "TrkB at the surface (rel. to rest)"), ("trkb", "TrkB signalling (rel. to rest)"),
    ("creb", "CREB signal (rel. to rest)"), ("hdac2", "HDAC2 (rel. to rest)"), ("hdac3", "HDAC3 (rel. to rest)"),
    ("eraser", "deacetylating activity (rel. to rest)"),
)  # fmt: skip
SYNAPTIC = (
    ("mean_strength", "mean synaptic strength (rel.)"), ("potentiated", "share potentiated"),
    ("consolidated", "share consolidated"), ("spine", "spines (rel. to rest)"), ("scale", "synaptic scaling factor"),
    ("activity", "firing (rel. to rest)"),
)  # fmt: skip
SENDERS = (*REGIONS[1:], "entorhinal cortex")


def inspect(arm: Arm, neuron: int) -> str:
    """Everything that is known of one neuron now, as HTML."""
    n = arm.model.neurons
    x, y = n.position[neuron, :2]
    region, plan = REGIONS[1 + int(n.region[neuron])], html.escape(arm.plan.name)
    place = f"neuron {neuron} · {region} · x {x:.0f} µm, y {y:.0f} µm · {plan}"
    columns = (
        nucleosomes(n.nucleosomes[neuron], n.promoter_on[neuron], n.transcripts[neuron]),
        facts("Stores and release", _columns(n, neuron, STORES)) + facts("Local signals", _signals(arm, neuron)),
        facts("Receptors and chromatin", _columns(n, neuron, RECEPTORS)),
        facts("Synapses", _columns(n, neuron, SYNAPTIC)) + facts("Inputs", _inputs(arm, neuron)),
    )
    body = "".join(f"<div>{column}</div>" for column in columns)
    return f'<h3 class="neuron">{place}</h3><div class="facts">{body}</div>{history(arm, neuron)}'


def nucleosomes(states: Any, bursting: Any, transcripts: Any) -> str:
    """A row of boxes per promoter, one for each nucleosome, and the transcripts made from it."""
    rows = []
    for name, row, on, count in zip(PROMOTERS, states, bursting, transcripts, strict=True):
        boxes = "".join(
            f'<rect x="{1 + 13 * k}" y="1" width="11" height="14" fill="{BOX[int(state)][0]}" stroke="#777">'
            f"<title>{BOX[int(state)][1]}</title></rect>"
            for k, state in enumerate(row)
        )
        burst = ", bursting" if np.any(on) else ""
        drawn = f'<svg width="{13 * len(row) + 2}" height="16">{boxes}</svg>'
        rows.append(f"<tr><th>{name}</th><td>{drawn}</td><td>{int(count)} mRNA{burst}</td></tr>")
    key = "".join(
        f'<span class="key"><i style="background:{colour}"></i>{word}</span>' for colour, word in BOX.values()
    )
    return f"<h4>Nucleosomes of the Bdnf promoters</h4><table>{''.join(rows)}</table><p>{key}</p>"


def facts(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    """A small table of names and values."""
    body = "".join(f"<tr><td>{html.escape(name)}</td><td class='n'>{value}</td></tr>" for name, value in rows)
    return f"<h4>{heading}</h4><table>{body}</table>"


def _columns(neurons: Any, neuron: int, columns: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(text, number(float(getattr(neurons, name)[neuron]))) for name, text in columns]


def _signals(arm: Arm, neuron: int) -> list[tuple[str, str]]:
    metrics = [METRICS[f"tissue_{signal}"] for signal in SIGNALS]
    return [(title(metric.name), number(float(metric.values(arm.model)[neuron]))) for metric in metrics]


def _inputs(arm: Arm, neuron: int) -> list[tuple[str, str]]:
    """How many synapses come from where, and how far they are potentiated on average."""
    wiring, synapses = arm.model.wiring, arm.model.synapses
    own = slice(int(wiring.start[neuron]), int(wiring.start[neuron + 1]))
    origin = wiring.region[wiring.sender[own]]
    change = synapses.early[own] + synapses.late[own]
    return [
        (f"{np.sum(origin == code)} from {name}, mean change", number(float(change[origin == code].mean())))
        for code, name in enumerate(SENDERS)
        if np.any(origin == code)
    ]


def history(arm: Arm, neuron: int) -> str:
    """Time courses of the neuron since time zero."""
    rows = []
    for metric in FOLLOWED:
        hours, values = arm.neuron_trace(metric, neuron)
        rows.append(Row(title(metric), (Line(hours, values.astype(float), OWN),)))
    now = arm.taken * float(arm.model.clock.step)
    return f'<div class="past">{stack(rows, (0.0, max(now, 24.0)), arm.plan.sessions, [f"neuron {neuron}"])}</div>'
