# The packages of requirements.lock and this project, for containers and clusters:
#   docker build -t plausible .
#   docker run --rm -v "$PWD:/work" plausible snakemake --cores 8 all
# The standard torch brings several GB of CUDA libraries; --build-arg PIP_EXTRA_INDEX_URL=... names
# the index of its CPU build (README, "Other environments").
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONNOUSERSITE=1

# git: the provenance of a result names the commit.
RUN apt-get update && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* && git config --system --add safe.directory '*'

WORKDIR /opt/plausible
COPY requirements.lock ./
RUN python -m pip install --requirement requirements.lock

COPY . .
RUN python -m pip install --no-deps --no-build-isolation --editable .

WORKDIR /work
CMD ["snakemake", "--help"]
