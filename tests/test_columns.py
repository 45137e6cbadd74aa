"""Mesa agents on columns: the Mesa API works, models do not share state, removal keeps rows right."""

import copy
import pickle

import mesa
import numpy as np
import pytest

from abm.columns import Column, ColumnAgent


class Cell(ColumnAgent):
    """An agent with one number, one row and one integer."""

    weight = Column(default=1.0)
    marks = Column(np.int8, shape=(3,), default=-1)
    kind = Column(np.int8)


def populated(weights):
    model = mesa.Model(rng=1)
    for weight in weights:
        Cell(model, weight=weight)
    return model


def test_attributes_are_entries_of_the_columns():
    model = populated([1.0, 2.0, 3.0])
    table = Cell.table(model)
    table.weight[:3] += 0.5
    cells = list(model.agents)
    assert [cell.weight for cell in cells] == [1.5, 2.5, 3.5]
    cells[1].marks = [4, 5, 6]
    assert table.marks[1].tolist() == [4, 5, 6]
    assert isinstance(cells[0].kind, int)


def test_mesa_agent_sets_read_and_write_columns():
    model = populated(range(10))
    assert len(model.agents.select(lambda cell: cell.weight > 6)) == 3
    model.agents.set("weight", 2.0)
    assert model.agents.agg("weight", sum) == 20.0
    created = Cell.create_agents(model, 4, weight=np.arange(4.0))
    assert [cell.weight for cell in created] == [0.0, 1.0, 2.0, 3.0]


def test_two_models_keep_their_own_state():
    first, second = populated([1.0]), populated([9.0])
    assert next(iter(first.agents)).weight == 1.0
    assert next(iter(second.agents)).weight == 9.0


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
def test_removal_in_any_order_keeps_every_agents_values(order):
    model = populated([10.0, 11.0, 12.0, 13.0])
    cells = list(model.agents)
    for position, index in enumerate(order):
        cells[index].remove()
        assert cells[index].weight == 10.0 + index
        for left in order[position + 1 :]:
            assert cells[left].weight == 10.0 + left
    assert len(model.agents) == 0
    assert Cell(model).weight == 1.0


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_model_is_independent(clone):
    model = populated([1.0, 2.0])
    other = clone(model)
    Cell.table(other).weight[0] = 5.0
    assert [cell.weight for cell in model.agents] == [1.0, 2.0]
    assert [cell.weight for cell in other.agents] == [5.0, 2.0]


def test_an_unknown_value_is_refused():
    with pytest.raises(TypeError, match="no column 'colour'"):
        Cell(mesa.Model(rng=1), colour=3)


def test_agents_are_numbered_in_each_model_and_keep_none_alive():
    import gc
    import weakref

    one, other = mesa.Model(), mesa.Model()
    assert [Cell(one).unique_id for _ in range(3)] == [1, 2, 3]
    assert Cell(other).unique_id == 1
    kept = weakref.ref(one)
    del one
    gc.collect()
    assert kept() is None
