"""The benchmarks hold all forms against each other before they time them; these parts run here."""

import sys
from pathlib import Path

import pytest

from plausible.data.dataset import Dataset
from plausible.data.registry import prepare

PARTS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def dataset(data_dir: Path) -> Dataset:
    return prepare("mnist", data_dir)


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PARTS))
    for name in ("timing", "song_grid", "equilibrium"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_grid_of_song_agrees_with_eager_torch(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    import song_grid

    part = song_grid.make_slice(dataset)
    assert song_grid.check_agreement(part, 2) < 1e-9
    monkeypatch.setattr(song_grid, "RATE", song_grid.RATE * 1.001)  # the peer's alone
    with pytest.raises(RuntimeError, match="kernel and eager torch differ"):
        song_grid.check_agreement(part, 2)


@pytest.mark.parametrize("initialised", [False, True])
def test_equilibrium_propagation_agrees_with_eager_torch(
    dataset: Dataset, initialised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import equilibrium

    case = equilibrium.SMALL
    assert equilibrium.check_agreement(case, dataset, initialised) < 1e-12
    learn = equilibrium.EagerTorch.learn
    monkeypatch.setattr(
        equilibrium.EagerTorch, "learn", lambda self, x, y, beta: learn(self, x, y, -beta)
    )
    with pytest.raises(RuntimeError, match="train different networks"):
        equilibrium.check_agreement(case, dataset, initialised)
