"""Published numbers about spiking networks and where our tables hold their reproduction."""

from typing import Any

from plausible.reproduction.evidence import Evidence, Number, by_protocol
from plausible.studies.thuesen2022.learning.claims import table1
from plausible.studies.thuesen2022.table1.claims import row_values, table1_drops
from plausible.studies.thuesen2022.table1.claims_drawings import shown_images

DROP_NETWORKS = {
    "SNN, Adam, BN": "SNN",
    "SPCN, SGD": "SPCN SGD",
    "SPCN, Adam": "SPCN Adam",
    "SPCN, Adam, BN": "SPCN Adam BN",
}
GAP_NETWORKS = {"SGD": "spcn_sgd", "Adam": "spcn_adam", "Adam_BN": "spcn_adam_bn"}
EXACT = "exact"


def _exact(label: str, protocol: str, published: Any, value: Any, note: str = "") -> Number:
    if isinstance(value, str):
        return Number(label, protocol, str(published), value, 0.0, EXACT, note)
    return Number(label, protocol, published, (float(value),), 0.0, EXACT, note, False)


def numbers_of_fig4(evidence: Evidence) -> list[Number]:
    """Labels of the images, in order."""
    frame = shown_images(evidence)
    labels = frame.groupby("image", sort=False)["label"].first()
    key = "labels_of_first_ten_training_images"
    published = " ".join(map(str, evidence.entry["derived"][key]))
    return [_exact(key, "", published, " ".join(map(str, labels)))]


def _stated(
    label: str, protocol: str, published: float, values: Any, tolerance: float, source: str
) -> Number:
    return Number(label, protocol, published, tuple(map(float, values)), tolerance, source)


def numbers_of_table1(evidence: Evidence) -> list[Number]:
    """Nine rows in every protocol."""
    tolerance = evidence.bounds(0)[0]
    return [
        _stated(
            f"row {row}",
            protocol,
            printed["test_accuracy_percent"],
            row_values(frame, row),
            tolerance,
            "expect:0",
        )
        for row, printed in enumerate(evidence.entry["values"]["rows"], start=1)
        for protocol, frame in by_protocol(table1(evidence))
    ]


def numbers_of_claim_spiking_drop(evidence: Evidence) -> list[Number]:
    """Differences of cells of table 1, as in the published file; no tolerance is stated."""
    return [
        Number(
            f"drop_percentage_points {printed['model']}",
            protocol,
            printed["drop"],
            tuple(table1_drops(frame)[DROP_NETWORKS[printed["model"]]]),
            None,
        )
        for printed in evidence.entry["derived"]["drop_percentage_points"]
        for protocol, frame in by_protocol(table1(evidence))
    ]


def numbers_of_claim_spcn_near_snn(evidence: Evidence) -> list[Number]:
    """Gap of each SPCN to the SNN, rate-coded; no tolerance is stated."""
    frame = evidence.table(
        "claim.spcn_near_snn", "network", "protocol", "seed", "gap_percentage_points"
    )
    return [
        Number(
            f"gap_percentage_points {name}",
            protocol,
            gap,
            tuple(part.loc[part["network"] == GAP_NETWORKS[name], "gap_percentage_points"]),
            None,
        )
        for name, gap in evidence.entry["derived"]["gap_percentage_points"].items()
        for protocol, part in by_protocol(frame)
    ]


def numbers_of_claim_bn_spiking_exception(evidence: Evidence) -> list[Number]:
    """Rows 7 and 9 of table 1, under that table's tolerance."""
    tolerance = evidence.bounds(0, of="table1")[0]
    frame = evidence.table(
        "claim.bn_spiking_exception", "protocol", "batch_norm", "spiking_accuracy_percent"
    )
    return [
        _stated(
            key,
            protocol,
            evidence.entry["values"][key],
            part.loc[part["batch_norm"] == batch_norm, "spiking_accuracy_percent"],
            tolerance,
            "table 1",
        )
        for key, batch_norm in (("spiking_adam_percent", False), ("spiking_adam_bn_percent", True))
        for protocol, part in by_protocol(frame)
    ]
