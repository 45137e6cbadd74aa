"""Mass ledger: where the amount of every signal came from and where it went.

Amounts are concentration x um^3: mmol/L um^3 is 1e-18 mol, nmol/L um^3 is 1e-24 mol. In the tissue

    initial + supplied + injected + secreted + held = removed + consumed + cleared + washed_out + stored

supplied, removed: in and out through the barrier; injected: put into the tissue at once; secreted: by neurons, and
lactate made by glycolysis; consumed: by metabolism; cleared: degraded or drained from the extracellular space;
washed_out: through open sides; held: what a clamp had to add, negative where it took away.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from abm.loops import loop
from abm.signals import SIGNALS

GAINS = ("supplied", "injected", "secreted", "held")
LOSSES = ("removed", "consumed", "cleared", "washed_out")
TERMS, GAIN_TERMS = (*GAINS, *LOSSES), len(GAINS)
SUPPLIED, INJECTED, SECRETED, HELD, REMOVED, CONSUMED, CLEARED, WASHED_OUT = range(len(TERMS))

NOTHING = 1e-15  # mmol/L um^3, a billionth of a molecule: a signal that has died away is not followed any more

Floats = npt.NDArray[np.float64]


@loop
def book(before: Floats, amounts: Floats, after: Floats, account: Floats, worst: Floats) -> bool:
    """Add amounts to an account, and keep the worst residual of each signal: what is missing over what was there.

    Returns whether all of them were numbers.
    """
    sound = True
    for row in range(before.size):
        missing, scale = before[row] - after[row], abs(before[row]) + abs(after[row])
        for term in range(amounts.shape[1]):
            amount = amounts[row, term]
            missing += amount if term < GAIN_TERMS else -amount
            scale += abs(amount)
            account[row, term] += amount
        sound = sound and math.isfinite(scale)
        if scale > NOTHING:
            worst[row] = max(worst[row], abs(missing) / scale)
    return sound


class Ledger:
    """Running totals of one tissue since its start or the last `reset`; rows of arrays are signals.

    amounts: (5, 8) by signal and term, in the order of TERMS; initial, stored: (5,); worst_residual: (5,) largest
    relative residual met at any hand-over.
    """

    def __init__(self, stored: Floats) -> None:
        self.amounts = np.zeros((len(SIGNALS), len(TERMS)))
        self.initial, self.stored = stored.copy(), stored.copy()
        self.worst_residual = np.zeros(len(SIGNALS))

    def reset(self) -> None:
        """Start a new account from what is stored now."""
        self.amounts[:], self.worst_residual[:] = 0.0, 0.0
        self.initial[:] = self.stored

    def close(self, amounts: Floats, stored: Floats) -> bool:
        """Add the amounts (5, 8) of one hand-over that ended with `stored` (5,), and keep its residual.

        Returns whether all of them are numbers.
        """
        sound = book(self.stored, amounts, stored, self.amounts, self.worst_residual)
        self.stored = stored.copy()
        return sound

    def residual(self) -> Floats:
        """Relative residual of the whole account, (5,): what is missing over what was ever in the tissue."""
        residual = np.zeros(len(SIGNALS))
        book(self.initial, self.amounts, self.stored, np.zeros_like(self.amounts), residual)
        return residual

    def table(self) -> dict[str, dict[str, float]]:
        """Signal -> term -> amount, with what there was at first, what is stored, and the two residuals."""
        residual = self.residual()
        return {
            signal: {
                "initial": float(self.initial[row]),
                **{term: float(self.amounts[row, column]) for column, term in enumerate(TERMS)},
                "stored": float(self.stored[row]),
                "residual": float(residual[row]),
                "worst_residual": float(self.worst_residual[row]),
            }
            for row, signal in enumerate(SIGNALS)
        }

    def checkpoint(self) -> dict[str, Floats]:
        """Copies of the arrays that `restore` takes."""
        return {
            "ledger_amounts": self.amounts.copy(),
            "ledger_initial": self.initial.copy(),
            "ledger_stored": self.stored.copy(),
            "ledger_worst": self.worst_residual.copy(),
        }

    def restore(self, arrays: Mapping[str, Floats]) -> None:
        """Go back to a checkpoint."""
        self.amounts = arrays["ledger_amounts"].copy()
        self.initial = arrays["ledger_initial"].copy()
        self.stored = arrays["ledger_stored"].copy()
        self.worst_residual = arrays["ledger_worst"].copy()
