"""The deep spiking network of O'Connor 2020, chapter 3, as one writes it down in dense numpy.

All rows that the spikes of a time step select are summed up at once, and the spikes of the next
layer follow from the running maximum of the partial sums (eq. A.5); error spikes change whole
columns. FSGD, breadth first, held errors. The same spikes as the compiled kernel; potentials round
differently in the last place.
"""

import numpy as np

from plausible.kernels.deep_spiking_types import Rule, SpikeTrains
from plausible.neurons.quantizers import spike_codes


class DenseNetwork:
    """Weights ``[n_l, n_(l+1)]`` and quantizers of errors, trained one sample at a time."""

    def __init__(self, weights: list[np.ndarray], rule: Rule) -> None:
        self.weights = [matrix.copy() for matrix in weights]
        self.rule = rule
        self.back = [np.zeros(len(matrix)) for matrix in weights]

    def train(self, trains: SpikeTrains, labels: np.ndarray, samples: range) -> None:
        """One pass over ``samples``."""
        for sample in samples:
            self.train_sample(trains, sample, int(labels[sample]))

    def train_sample(self, trains: SpikeTrains, sample: int, label: int) -> None:
        sizes = [len(self.weights[0]), *(matrix.shape[1] for matrix in self.weights)]
        self.potential = [np.zeros(size) for size in sizes]
        self.counts = [np.zeros(size) for size in sizes]
        for step in range(self.rule.steps):
            codes = trains.code[slice(*trains.start[sample, step : step + 2])].astype(np.int64)
            self.count(0, codes)
            for layer, matrix in enumerate(self.weights):
                signs = np.where(codes >= 0, 1.0, -1.0)
                rows = signs[:, None] * matrix[np.where(codes >= 0, codes, -1 - codes)]
                codes = self.advance(layer + 1, rows)
                self.count(layer + 1, codes)
            errors = np.bincount(codes, minlength=sizes[-1])
            errors[label] -= 1
            for unit in np.flatnonzero(errors):
                code = unit if errors[unit] > 0 else -1 - unit
                for _ in range(abs(errors[unit])):
                    self.send_back([code])

    def count(self, layer: int, codes: np.ndarray) -> None:
        np.add.at(
            self.counts[layer],
            np.where(codes >= 0, codes, -1 - codes),
            np.where(codes >= 0, 1.0, -1.0),
        )

    def advance(self, layer: int, rows: np.ndarray) -> np.ndarray:
        """Spikes of a layer that receives ``rows`` one after the other, in their order."""
        sums = np.cumsum(np.concatenate([self.potential[layer][None], rows]), axis=0)
        highest = np.maximum.accumulate(sums[1:], axis=0)
        numbers = np.maximum(np.ceil(highest - 0.5), 0.0)
        fresh = np.diff(numbers, axis=0, prepend=0.0).astype(np.int64)
        if len(rows):
            self.potential[layer] = sums[-1] - numbers[-1]
        events, units = np.nonzero(fresh)
        times = fresh[events, units]
        before = sums[1:][events, units] - (numbers[events, units] - times)
        events, units, before = (np.repeat(part, times) for part in (events, units, before))
        earlier = np.concatenate([np.arange(n) for n in times]) if len(times) else times
        return units[np.lexsort((units, earlier - before, events))]

    def send_back(self, codes: list[int]) -> None:
        for layer in range(len(self.weights), 0, -1):
            reached = self.potential[layer] + self.counts[layer]
            codes = [code for code in codes if reached[code if code >= 0 else -1 - code] >= 0]
            matrix, emitted = self.weights[layer - 1], []
            if layer > 1:
                for code in codes:
                    column = matrix[:, code] if code >= 0 else -matrix[:, -1 - code]
                    self.back[layer - 1] += column
                    emitted += spike_codes(self.back[layer - 1]).tolist()
            credit = self.rule.rate * np.maximum(self.counts[layer - 1], 0.0)
            for code in codes:
                if code >= 0:
                    matrix[:, code] -= credit
                else:
                    matrix[:, -1 - code] += credit
            codes = emitted
