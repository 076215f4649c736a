"""Errors that a user can act on: one sentence that says where, what was found, what is expected."""


class PlausibleError(Exception):
    """Base of every error whose message is meant for the user and needs no traceback."""


class ConfigError(PlausibleError):
    """The configuration holds something that is not allowed."""


class DataError(PlausibleError):
    """A data file is missing, truncated, corrupted or mislabelled."""


class DeviceError(PlausibleError):
    """The requested device is not there."""


class StudyError(PlausibleError):
    """A study file or a published file contradicts itself or the code."""


class ModelError(PlausibleError, ValueError):
    """A model, or data given to a method, is not what the method takes."""
