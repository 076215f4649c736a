# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # O'Connor 2020: biologically plausible deep learning
#
# Figures, tables, theorems and claims of Peter O'Connor, "Biologically plausible deep learning:
# Should airplanes flap their wings?" (PhD thesis, University of Amsterdam, 2020), reproduced and
# set beside their published values: chapters 1, 3 and 4 with appendices A and B.
# [All verdicts in one table](index.html).

# %% tags=["parameters"]
study = "oconnor2020"
scale = "demo"
results_dir = "results/demo/oconnor2020"
published_file = "workflow/published/oconnor2020.yaml"
study_file = "workflow/studies/oconnor2020.yaml"
reference_dir = "results/reference/oconnor2020"
runtimes_file = "results/demo/runtimes.csv"

# %%
from plausible.reproduction.study_report import StudyReport

report = StudyReport(
    study, scale, results_dir, published_file, study_file, reference_dir, runtimes_file
)

# %%
report.summary()

# %% [markdown]
# ## How to read this report
#
# Each result shows its picture and a table of verdicts: *published*, the committed *reference* run
# at the paper scale (where there is one), and *this run* with the 95 % interval over seeds.

# %%
report.meanings()

# %% [markdown]
# ### Three protocols
#
# The thesis and the author's public code differ in places, and some formulas are misprinted. So
# experiments are run in up to three protocols.

# %%
report.protocols()

# %% [markdown]
# ## What reproduces and what does not
#
# Verdicts of every published entry, and of every protocol; the reasons stand with the results below.

# %%
report.outcomes()

# %% [markdown]
# ### Which of the thesis's statements about causes survive

# %%
report.causes()

# %% [markdown]
# ## Chapter 1: brains and deep learning

# %% [markdown]
# ## Chapter 3: deep spiking networks
#
# ### Quantizers: from numbers to spikes

# %% [markdown]
# ### Learning MNIST

# %% [markdown]
# ### Newsgroups

# %% [markdown]
# ## Chapter 4: sigma-delta networks
#
# ### Principles

# %% [markdown]
# ### Error against computation

# %% [markdown]
# ## Run times

# %%
report.runtimes()

# %% [markdown]
# ## Completeness

# %%
report.unshown()
