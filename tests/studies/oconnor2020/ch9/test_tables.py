"""Table 9.1 for people."""

from plausible.studies.oconnor2020.ch9.tables import characteristics_markdown

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
