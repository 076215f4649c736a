"""A small table of real measurements that scikit-learn ships: the stand-in for newsgroups.

Source: UCI "Breast Cancer Wisconsin (Diagnostic)" (W. Wolberg, O. Mangasarian, N. Street and
W. Street, 1995): 30 measurements of the cell nuclei in each of 569 biopsies, 212 of them malignant
and 357 benign.

It has what the spiking regressor of O'Connor 2020, section 3.5.1, needs: two classes and binary
features. Accuracies on it are not comparable with those on newsgroups.
"""

import numpy as np

from plausible.data.dataset import Dataset, make_dataset

QUARTILES = (0.25, 0.5, 0.75)
TRAINING_PARTS = 7
"""So many parts train and one tests, as in the split of the thesis."""


def breast_cancer() -> Dataset:
    """The table in binary form: does a measurement exceed each quartile of the training part?

    90 binary features (three per measurement, in the order of the quartiles) and 498 training and
    71 test samples in the order of the source; class 0 is malignant, 1 benign. Needs no network.
    """
    from sklearn.datasets import load_breast_cancer  # costs a second: only for those who need it

    measurements, labels = load_breast_cancer(return_X_y=True)
    training = round(len(labels) * TRAINING_PARTS / (TRAINING_PARTS + 1))
    quartiles = np.quantile(measurements[:training], QUARTILES, axis=0)
    exceeds = measurements[:, :, None] > quartiles.T[None]
    features = exceeds.reshape(len(labels), -1).astype(np.uint8)
    return make_dataset(
        "breast_cancer",
        features[:training],
        labels[:training],
        features[training:],
        labels[training:],
        image_shape=(1, features.shape[1]),
        white=1,
        classes=2,
    )
