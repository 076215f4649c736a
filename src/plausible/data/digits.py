"""The embedded digits: 1,797 real handwritten digits of 8 x 8 pixels that scikit-learn ships.

Source: the test part of the UCI "Optical Recognition of Handwritten Digits" (E. Alpaydin and
C. Kaynak, 1998): 32 x 32 bitmaps of forms filled in by 13 people, reduced to the number of black
pixels in each block of 4 x 4, hence grey levels 0 to 16.

Split: the first 1,437 images train and the last 360 test, in the order of the source (4 : 1). Every
class has 141 to 146 training and 33 to 37 test images. The source does not say who wrote which
image, so whether a writer occurs in both parts is not known; accuracies on these digits are not
comparable with those on MNIST.
"""

from plausible.data.dataset import Dataset, make_dataset

TRAINING_IMAGES = 1437
WHITE = 16


def embedded_digits() -> Dataset:
    """The embedded digits as a Dataset; needs no network."""
    from sklearn.datasets import load_digits  # costs a second: only for those who need it

    images, labels = load_digits(return_X_y=True)
    return make_dataset(
        "digits",
        images[:TRAINING_IMAGES],
        labels[:TRAINING_IMAGES],
        images[TRAINING_IMAGES:],
        labels[TRAINING_IMAGES:],
        image_shape=(8, 8),
        white=WHITE,
    )
