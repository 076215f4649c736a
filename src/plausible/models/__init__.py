"""The methods on a user's own ``torch`` model and arrays: what ``import plausible`` offers."""
