"""Measure our speed against peers and against the machine: one command, one table.

Needs MNIST (in --data, PLAUSIBLE_DATA, the cache, or from the network). See README.md beside it.
"""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

# One core, before anything with threads is imported.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import timing  # noqa: E402
import torch  # noqa: E402

from plausible.data.registry import prepare  # noqa: E402
from plausible.errors import PlausibleError  # noqa: E402

PARTS = ("spiking", "training", "song", "oconnor", "equilibrium", "video")


def main() -> int:
    """Run what the command line asks for; print the table and write benchmarks/out/."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=PARTS, help="one part only")
    parser.add_argument("--images", type=int, default=500, help="test images (default 500)")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--data", type=Path, default=None, help="folder that holds MNIST")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    try:
        dataset = prepare("mnist", arguments.data)
    except PlausibleError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}; CPU time of one thread, median of {arguments.repetitions} "
        "interleaved rounds (best .. worst); ratio: times slower than the first line"
    )
    rows = []
    for part in (arguments.only,) if arguments.only else PARTS:
        size = (arguments.images,) if part == "spiking" else ()
        found = importlib.import_module(part).run(dataset, *size, arguments.repetitions)
        print(timing.table(found))
        rows += found
    path = timing.OUT / f"{arguments.only or 'all'}.csv"
    timing.write_table(path, rows)
    print(f"\nWritten: {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
