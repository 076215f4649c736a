"""Tables of chapter 4's principles, made of synthetic rows."""

import pandas as pd

from plausible.studies.oconnor2020.ch4_principles.tables import (
    change_rate_table,
    higher_layers_table,
    noise_training_table,
    temporal_mnist_markdown,
)

from . import synthetic


def test_temporal_table_for_people():
    table = synthetic.temporal()
    lines = temporal_mnist_markdown(table, {}).splitlines()
    assert lines[0].startswith("| part | images | order | buffer |")
    assert len(lines) == 2 + 3 + 4 + 4 + 1
    assert any("| shuffled | - | 130.00 ± 0.00 | 10.11 ± 0.02 | 90.0 ± 0.0 |" in x for x in lines)
    assert all(line.endswith("| yes |") for line in lines[2:])
    assert "| no |" in temporal_mnist_markdown(table.assign(lost_frames=1), {})


def test_how_fast_images_change_stands_beside_the_random_sequences():
    sequence = {"element": "sequence", "part": "thesis test"}
    images = pd.DataFrame(
        [
            {**sequence, "order": order, "buffer_size": buffer, "change_fraction": change}
            for order, buffer, change in (
                ("file", 0, 1.26),
                ("shuffled", 0, 1.27),
                ("temporal", 10, 0.9),
                ("temporal", 1000, 0.55),
            )
        ]
    )
    small = pd.concat(
        [
            synthetic.changes().query("source == 'random'").assign(experiment="change_rate"),
            synthetic.noise().assign(experiment="noise_training"),
            synthetic.higher_layers().assign(experiment="higher_layers"),
        ]
    ).drop(columns="source")
    frames = {"sweep.temporal_mnist": images, "sweep.small_networks": small}
    table = change_rate_table(frames)
    assert "initial_scale" not in table and "experiment" not in table
    shown = table[table["source"] != "random"].set_index("source")["change_fraction"]
    assert shown.to_dict() == {"file": 1.26, "temporal": 0.55}
    for made, rows in (
        (noise_training_table(frames), synthetic.noise()),
        (higher_layers_table(frames), synthetic.higher_layers()),
    ):
        pd.testing.assert_frame_equal(made, rows, check_like=True, check_dtype=False)
