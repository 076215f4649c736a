"""Table 9.1 and the costs of an inference for people."""

from plausible.studies.oconnor2020.ch9.tables import (
    SYSTEMS,
    characteristics_markdown,
    inference_markdown,
)

from ...part_results import published_of
from . import synthetic


def test_derived_marks_stand_beside_the_published_ones():
    values = published_of("oconnor2020.ch9").shown_values("ch9.table9.1")
    text = characteristics_markdown(synthetic.characteristics_table(), values)
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "yes / yes" in rows["Sigma Delta Quantized Networks Chapter 4"]
    assert rows["Spiking Equilibrium Propagation Chapter 8"].count("/") == 2
    assert "/" not in rows["Unbiased Online Recurrent Optimization"]
    assert "network-level locking" in text


def test_every_system_has_a_row_with_all_energies():
    text = inference_markdown(synthetic.inference_table(), {})
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(SYSTEMS)
    mlp, spiking = ([cell.strip() for cell in row.split("|")] for row in rows[2:4])
    assert mlp[1:7] == ["MLP", "1", "1", "3.2", "1.6", "4.75"]
    assert spiking[3] == "0" and spiking[5] == "-" and spiking[6] == "1.75"
