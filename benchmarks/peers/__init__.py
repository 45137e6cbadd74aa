"""The peers: who they are, what they need, and what each offers beyond the workloads here.

Every module of this folder has one function, `prepare(case)`: it sets its peer up for a case, a plain dictionary, and
returns a function without arguments that runs the workload once and returns

    seconds, steps, total     time of the steps it took, and how many the workload has
    error                     relative error of what it found (diffusion), where it ran to the end
    means, spreads            population means and standard deviations of the read-outs (neurons)
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Peer:
    """A way to run a workload.

    module: in this folder; needs: the library it cannot do without; remark: what it leaves out, and what it does that
    we do not; environment: of its process; options: added to its cases.
    """

    label: str
    module: str
    needs: str = "abm"
    remark: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=dict)


# In plain Python the rules run as the functions that they are, without Numba.
PLAIN = {"NUMBA_DISABLE_JIT": "1"}

DIFFUSION = (
    Peer("ours", "ours_diffusion", remark="exact in time for each window"),
    Peer("ours, single precision", "ours_diffusion", remark="exact in time for each window", options={"single": True}),
    Peer("py-pde", "py_pde", "pde", "explicit Euler, compiled by Numba; takes any PDE written as text"),
    Peer(
        "py-pde, each substance its own step", "py_pde", "pde", "possible only as long as substances do not react",
        options={"own_steps": True},
    ),
    Peer("NEURON RxD", "neuron_rxd", "neuron", "DG-ADI; also does electrophysiology and reactions inside cells"),
)  # fmt: skip
NEURONS = (
    Peer("ours", "ours_neurons", remark="population loop of the model; fields and synapses in a row of their own"),
    Peer(
        "Mesa, one object per neuron", "mesa_neurons", "mesa",
        "same rules; fields given, no synapses; agents may differ in kind and come and go", PLAIN,
    ),
    Peer(
        "AgentPy", "agentpy_neurons", "agentpy",
        "same rules; fields given, no synapses; sampling of parameters built in", PLAIN,
    ),
    Peer(
        "Brian2, C++ standalone", "brian2_neurons", "brian2",
        "transcripts decay by Poisson instead of binomial draws, firing is not held to the regional mean, fields given,"
        " no synapses; takes any equations written as text and simulates spiking",
        PLAIN,
    ),
)  # fmt: skip
STUDY = (
    Peer("ours", "ours_study", remark="run.py experiment, from start to files written"),
    Peer(
        "Mesa, one object per neuron", "mesa_study", "mesa",
        "same rules with synapses; blood and fields given; cores taken to share the work without loss", PLAIN,
    ),
)  # fmt: skip
