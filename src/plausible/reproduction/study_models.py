"""The form of a study's files, and of the settings below it.

``study.yaml`` is a `StudyFile`, the file of a part a `PartFile`. The settings of an experiment have
a type of their own (`plausible.reproduction.settings`), those of trainings and simulations stand in
the packages of the methods; here they are mappings.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from plausible.settings import Count, NotNegative, NotNegativeCount, Positive, Settings

Scales = Literal["demo", "quick", "paper"]
Values = Mapping[str, Any]
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
"""Small letters, digits and underscores: names become file names."""
ResultName = Annotated[str, Field(pattern="^[a-z][A-Za-z0-9_]*([.][A-Za-z0-9_]+)*$")]
"""The part of a result's id after the first dot."""
Function = Annotated[str, Field(pattern="^([a-z][a-z0-9_]*[.])?[a-z][a-z0-9_]*$")]
"""A function of a part's file, or ``<topic>.<function>`` of its file ``<kind>_<topic>.py``."""


def _different(values: tuple) -> tuple:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"found {value!r} twice, where different entries are expected")
    return values


Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_different)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class Scale(Settings):
    """Data set, seeds and training settings of a scale."""

    dataset: str = Field(description="digits, mnist or a name of data.sets in config.yaml")
    seeds: Seeds
    seeds_per_job: Count = Field(1, description="Seeds trained in one job")
    settings: Values = Field({}, description="Training settings of this scale")
    training_minutes: Count = Field(
        10, description="Upper bound of one training job for cluster schedulers"
    )
    simulation_minutes: Count = Field(
        10, description="Upper bound of one simulation job for cluster schedulers"
    )


class Variant(Settings):
    """Declared deviation of some runs from a protocol."""

    what: str = Field(description="What distinguishes it")
    training: Values = Field({}, description="Its training settings")
    simulation: Values = Field({}, description="Its spiking-simulation settings")


class Protocol(Variant):
    """A named reading of the source, one set of choices for the whole document."""

    variants: Mapping[Name, Variant] = Field(
        {}, description="Deviations from it by their names; runs that follow one name it"
    )


class KeyFinding(Settings):
    """One thing that the study found, in one sentence of its report.

    ``when`` and what stands in ``{{ }}`` are expressions (see `plausible.reproduction.findings`).
    """

    id: Name
    entry: ResultName = Field(description="Published result that it is about")
    sentence: str = Field(description="Claim, verdict, effect with interval, cause")
    when: str = Field(description="Condition under which it is said")
    result: ResultName | None = Field(
        None, description="Result whose picture shows it; default: the entry"
    )
    surprising: Count | None = Field(
        None,
        description="Its place among the findings of the index page; 1 is first",
    )


class StudyFile(Settings):
    """What holds for the whole document (workflow/studies/<study>/study.yaml)."""

    study: Name = Field(description="Name of the study, that of its folder")
    title: str = Field(description="Title shown in lists and reports")
    document: str = Field(description="The source document")
    parts: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_different)] = Field(
        description="Files <part>.yaml beside this one, in the order of the report"
    )
    scales: Mapping[Scales, Scale]
    settings: Values = Field({}, description="Training settings common to all runs")
    simulation: Values = Field({}, description="Spiking-simulation settings of all simulations")
    protocols: Mapping[Name, Protocol]
    glossary: Mapping[str, str] = Field({}, description="What the document's abbreviations mean")
    key_findings: tuple[KeyFinding, ...] = Field(
        (), description="What was found, the most important first"
    )

    @model_validator(mode="after")
    def _needed_scales(self) -> "StudyFile":
        for scale in ("demo", "paper"):
            if scale not in self.scales:
                raise ValueError(f"the scale {scale!r} was not found under scales; add it")
        return self


class SpikingSimulation(Settings):
    """A spiking simulation: the fields of `plausible.kernels.types.SimulationSettings`.

    Beside them stand which images are shown, and the rate function whose accuracy is told beside
    that of the spikes.
    """

    simulation_time_ms: Count = 200
    dt_ms: Positive = 1.0
    """Time step."""
    input_rate_hz: Positive = 250.0
    """Poisson rate of a white pixel."""
    kernel: Literal["unit_area", "printed", "author"] = "unit_area"
    """Form of the alpha filter."""
    kernel_order: Literal["causal", "author"] = "causal"
    synapse_time_constant_s: Positive = 0.00118
    """Time constant of the alpha filter."""
    integration: Literal["exact", "euler"] = "exact"
    idle_steps: NotNegativeCount = 4
    """Steps without integration after a spike (euler)."""
    checkpoints_ms: tuple[Count, ...] = ()
    """Times at which spikes are counted, ascending; none: the end only."""
    test_images: Count | None = None
    """Number of test images; None: all."""
    softplus_gamma: Positive = 0.05
    rate_offset: NotNegative = 0.0

    @model_validator(mode="after")
    def _within_the_time(self) -> "SpikingSimulation":
        steps = self.simulation_time_ms / self.dt_ms
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError(
                f"simulation_time_ms {self.simulation_time_ms} is not a multiple of dt_ms "
                f"{self.dt_ms:g}"
            )
        times = self.checkpoints_ms
        if list(times) != sorted(set(times)) or any(t > self.simulation_time_ms for t in times):
            raise ValueError(
                f"checkpoints_ms {list(times)} must ascend up to simulation_time_ms "
                f"{self.simulation_time_ms}"
            )
        return self


class Train(Settings):
    """A network to train."""

    title: str
    seed_group: str | None = Field(
        None, description="Runs of one group share initial weights and batches; default: the run"
    )
    only_protocols: Names | None = Field(None, description="Protocols of the run; default: all")
    only_seeds: Count | None = Field(
        None, description="Number of the scale's seeds that are used; default: all"
    )
    settings: Values = {}
    variants: Mapping[str, str] = Field(
        {}, description="Variants of protocols that the run follows, by the name of the protocol"
    )
    protocols: Mapping[str, Values] = {}
    scales: Mapping[Scales, Values] = {}


class Simulate(Settings):
    """A spiking simulation of converted networks."""

    title: str
    networks: Names
    settings: Values = {}
    scales: Mapping[Scales, Values] = {}


class Job(Settings):
    """How an experiment, or the theorems of a part, are run."""

    data_set: bool | Mapping[Scales, str] = Field(
        False,
        description="Whether it gets the study's images; a mapping names another data set for "
        "each scale",
    )
    only_seeds: Count | None = Field(
        None, description="Number of the scale's seeds that are used; default: all"
    )
    minutes: Count = Field(30, description="Upper bound of one job for cluster schedulers")
    memory_mb: Count = Field(1500, description="Upper bound of the memory of one job")
    settings: Values = {}
    scales: Mapping[Scales, Values] = {}

    @model_validator(mode="after")
    def _all_scales(self) -> "Job":
        if isinstance(self.data_set, Mapping):
            missing = {"demo", "quick", "paper"} - set(self.data_set)
            if missing:
                raise ValueError(f"data_set names no data set for the scale {min(missing)!r}")
        return self


class Sweep(Job):
    """An experiment, one process for each of its jobs."""

    experiment: Function | None = Field(
        None,
        description="Function of the part's experiment.py, or <topic>.<function> of its "
        "experiment_<topic>.py; default: the name of the sweep",
    )
    networks: Names | None = Field(None, description="Converted networks that it simulates")
    protocols: Names | None = Field(None, description="Protocols of these networks; default: all")
    published: str | None = Field(
        None,
        description="Id of the published result whose values, printed and recovered, it is given",
    )
    timing: bool = Field(
        False, description="Holds measured times, so its table is not byte-reproducible"
    )
    shards: Mapping[Scales, Count] = Field(
        {},
        description="Number of jobs that share the experiment at a scale, each with a folder for "
        "checkpoints; default: one job that does everything",
    )


class Sources(Settings):
    """Jobs from whose tables a result's own table is made."""

    train: Names | None = None
    simulate: Names | None = None
    sweep: Names | None = None

    @model_validator(mode="after")
    def _some(self) -> "Sources":
        if not (self.train or self.simulate or self.sweep):
            raise ValueError("found no source, where train, simulate or sweep is expected")
        return self


class Result(Settings):
    """A table or picture that comes out."""

    model_config = ConfigDict(validate_by_name=False)

    title: str | None = Field(None, description="Title of a result that no published file has")
    sources: Sources | None = Field(
        None, alias="from", description="Sources of the result's own tidy table"
    )
    data: str | None = Field(None, description="Result whose table holds this result's numbers")
    theorem: Function | None = Field(
        None,
        description="Function of the part's theorems.py (or <topic>.<function>) that measures it",
    )
    table: Function | None = Field(
        None, description="Function of the part's tables.py that makes the tidy table"
    )
    figure: Function | None = Field(None, description="Function of the part's figures.py")
    markdown: Function | None = Field(
        None, description="Function of the part's tables.py that makes the readable table"
    )
    options: Values = Field({}, description="Arguments of the table function")
    published: str | None = Field(
        None,
        description="Published result whose values are shown beside ours; default: the result",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> "Result":
        if sum(origin is not None for origin in (self.sources, self.data, self.theorem)) != 1:
            raise ValueError(
                "found none or several of 'from' (a table of its own), 'data' (the result whose "
                "table it shows) and 'theorem' (the function that measures it), where exactly one "
                "is expected"
            )
        return self


class PartFile(Settings):
    """What is run in a part and what comes out of it (workflow/studies/<study>/<part>.yaml)."""

    train: Mapping[Name, Train] = Field({}, description="Networks to train")
    simulate: Mapping[Name, Simulate] = Field(
        {}, description="Spiking simulations of converted networks"
    )
    theorems: Job | None = Field(None, description="How the part's theorems are measured")
    sweep: Mapping[Name, Sweep] = Field({}, description="Experiments")
    results: Mapping[ResultName, Result] = Field({}, description="Tables and pictures")
