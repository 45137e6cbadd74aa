"""Mesa agents whose state lives in NumPy columns.

`class Neuron(ColumnAgent): bdnf = Column(...)` declares one column; `neuron.bdnf` reads and writes that neuron's
entry, and `Neuron.table(model).bdnf` is the array of all neurons, which compiled loops update in place.
The table belongs to the model, so two models never share state.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import mesa
import numpy as np
import numpy.typing as npt


class Column:
    """Declares one state variable of a `ColumnAgent`: dtype, shape of one agent's entry, default, unit and meaning."""

    def __init__(
        self,
        dtype: npt.DTypeLike = np.float64,
        *,
        shape: tuple[int, ...] = (),
        default: float = 0.0,
        unit: str = "1",
        doc: str = "",
    ) -> None:
        self.dtype, self.shape, self.default = np.dtype(dtype), shape, default
        self.unit, self.__doc__ = unit, doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, agent: ColumnAgent | None, owner: type | None = None) -> Any:
        if agent is None:
            return self
        entry = agent._table.columns[self.name][agent._row]
        return entry if self.shape else entry.item()

    def __set__(self, agent: ColumnAgent, value: Any) -> None:
        agent._table.columns[self.name][agent._row] = value


class AgentTable:
    """The columns of all agents of one class in one model; attribute access gives the arrays, agents first.

    In memory the agents' entries lie side by side (Fortran order), so that loops over agents run along the array.
    """

    def __init__(self, declared: dict[str, Column], agents: int) -> None:
        self.declared = declared
        self.agents: list[ColumnAgent] = []
        self.columns: dict[str, npt.NDArray[Any]] = {
            name: np.full((agents, *column.shape), column.default, column.dtype, "F")
            for name, column in declared.items()
        }

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        # Only called for names that are not plain attributes; "columns" itself is missing while unpickling.
        try:
            return self.__dict__["columns"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no column {name!r}") from None

    def __len__(self) -> int:
        return len(self.agents)

    def _grow(self, rows: int) -> None:
        for name, column in self.declared.items():
            old = self.columns[name]
            if len(old) < rows:
                new = np.full((rows, *column.shape), column.default, column.dtype, "F")
                new[: len(old)] = old
                self.columns[name] = new

    def add(self, agent: ColumnAgent) -> int:
        """Give the agent the next row and return its number."""
        self.agents.append(agent)
        if len(self.agents) > len(next(iter(self.columns.values()))):
            self._grow(2 * len(self.agents))
        return len(self.agents) - 1

    def remove(self, agent: ColumnAgent) -> None:
        """Close the gap with the last row; the removed agent keeps its last values in a table of its own."""
        row, last = agent._row, self.agents.pop()
        own = AgentTable(self.declared, 1)
        for name, column in self.columns.items():
            own.columns[name][0] = column[row]
            column[row] = column[last._row]
            column[last._row] = self.declared[name].default
        if last is not agent:
            self.agents[row] = last
            last._row = row
        agent._table, agent._row = own, 0
        own.agents.append(agent)


class Numbering:
    """Numbers the agents of each model from 1. Mesa 3.3.1's own table would keep every model in memory for ever."""

    def __init__(self) -> None:
        self._next: WeakKeyDictionary[mesa.Model, Iterator[int]] = WeakKeyDictionary()

    def __getitem__(self, model: mesa.Model) -> Iterator[int]:
        return self._next.setdefault(model, count(1))


class ColumnAgent(mesa.Agent):
    """A Mesa agent whose declared columns live in the model's table for its class."""

    _ids = Numbering()
    _table: AgentTable
    _row: int

    def __init__(self, model: mesa.Model, **values: Any) -> None:
        super().__init__(model)
        self._table = type(self).table(model)
        self._row = self._table.add(self)
        for name, value in values.items():
            if name not in self._table.declared:
                raise TypeError(f"{type(self).__name__} has no column {name!r}")
            setattr(self, name, value)

    @classmethod
    def declared_columns(cls) -> dict[str, Column]:
        """The columns declared by the class and its bases, in order of declaration."""
        found: dict[str, Column] = {}
        for base in reversed(cls.__mro__):
            found.update({name: item for name, item in vars(base).items() if isinstance(item, Column)})
        return found

    @classmethod
    def table(cls, model: mesa.Model, agents: int = 16) -> AgentTable:
        """The table of this class in `model`; made on first use with room for `agents`."""
        tables: dict[str, AgentTable] = model.__dict__.setdefault("agent_tables", {})
        if cls.__name__ not in tables:
            tables[cls.__name__] = AgentTable(cls.declared_columns(), agents)
        return tables[cls.__name__]

    def remove(self) -> None:
        """Take the agent out of the model; its row is filled by the last agent's."""
        super().remove()
        self._table.remove(self)
