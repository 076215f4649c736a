"""Table 1 for people: published, and mean with half of its interval in every protocol."""

import numpy as np
import pandas as pd

from plausible.studies.thuesen2022.table1.report import LABELS, accuracies, mean_and_half


def test_accuracies_beside_the_published_ones():
    printed = pd.DataFrame(
        [
            dict.fromkeys(LABELS, "first") | {"row": 1, "test_accuracy_percent": 97.68},
            dict.fromkeys(LABELS, "second") | {"row": 2, "test_accuracy_percent": 97.7},
        ]
    )
    own = pd.DataFrame(
        {
            "row": [1, 1, 1, 1],
            "protocol": ["corrected"] * 3 + ["as_coded"],
            "test_accuracy_percent": [97.4, 97.5, 97.6, 97.0],
        }
    )
    reference = own.assign(test_accuracy_percent=own["test_accuracy_percent"] - 1)
    frame = accuracies(printed, {"reference": reference, "this run": own})
    assert list(frame["row"]) == [1, 2] and list(frame["model"]) == ["first", "second"]
    assert list(frame["published"]) == ["97.68", "97.70"]
    # 4.302653 * 0.1 / sqrt(3) = 0.2484
    assert list(frame["this run: corrected"]) == ["97.50 ± 0.25", "–"]
    assert list(frame["reference: corrected"]) == ["96.50 ± 0.25", "–"]
    assert list(frame["this run: as_coded"]) == ["97.00", "–"]
    assert list(frame.columns).index("this run: as_coded") < len(frame.columns) - 1


def test_one_value_has_no_interval():
    assert mean_and_half(np.array([97.0])) == "97.00"
    assert mean_and_half(np.array([])) == "–"
