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
# # Thuesen 2022: predictive coding and biologically plausible neural networks
#
# Every figure, table, claim and equation of Anders Bredgaard Thuesen's BSc thesis (Technical
# University of Denmark, January 2022) and of its draft, reproduced and set beside its published
# value. [All verdicts in one table](index.html).

# %% tags=["parameters"]
study = "thuesen2022"
scale = "demo"
results_dir = "results/demo/thuesen2022"
published_file = "workflow/published/thuesen2022"
study_file = "workflow/studies/thuesen2022"
reference_dir = "results/reference/thuesen2022"
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
# The text of the thesis, its author's code and the mathematics disagree in places, and published
# numbers came from different states of the code. So each experiment is run in up to three
# protocols.

# %%
report.protocols()

# %% [markdown]
# Settings in which they differ, as they were run (– where a run does not exist in a protocol):

# %%
report.protocol_settings()

# %% [markdown]
# ## Chapter 2: neural networks and how they learn
#
# Derivations, algorithms and models are checked in float64 against an independent form (autograd,
# a closed form, another library, a slow loop). *This run* is the largest deviation found, the note
# says what was compared and the bound that it must respect.

# %%
report.theorems(
    "eq5.mse_is_gaussian_mle",
    "eq10.cross_entropy_is_mle",
    "eq16.softmax_jacobian",
    "eq22.cross_entropy_gradient",
    "claim.softmax_order",
    "claim.no_hidden_layer_is_logistic",
    "eq_he_init",
    "eq26.backprop",
    "eq29.adam",
    "eq33.batch_norm",
)

# %% [markdown]
# ## Chapter 3: biological neurons, spiking networks, predictive coding
#
# ### Section 3.1: the biological neuron
#
# The thesis shows a drawing of a neuron by BruceBlaus (CC BY 3.0, Wikimedia Commons). Here stands a
# sketch of our own in its place.
#
# <figure><svg viewBox="0 0 640 190" width="640" role="img" aria-label="Sketch of a neuron: dendrites
# on the left, cell body, axon, axon terminals on the right" fill="none" stroke="#1c2126"
# stroke-width="3" stroke-linecap="round"><path d="M112 95C80 80 62 50 30 40M112 95C78 95 55 92 20
# 98M112 95C84 112 62 140 32 152M70 66C60 50 58 36 52 22M66 126C58 142 60 156 54 170"/><circle cx="140"
# cy="95" r="34" fill="#dbe9f4"/><circle cx="140" cy="95" r="9" fill="#1c2126"/><path d="M174 95H470M470
# 95C500 80 520 60 560 52M470 95C505 95 530 96 572 98M470 95C500 112 520 132 560 146"/><path d="M210
# 95h40M268 95h40M326 95h40M384 95h40" stroke="#e69f00" stroke-width="12"/><g fill="#1c2126"
# stroke="none" font-size="15" font-family="sans-serif"><text x="18" y="186">dendrites</text><text x="112"
# y="150">cell body</text><text x="290" y="128">axon</text><text x="540" y="180">terminals</text></g></svg></figure>

# %%
report.entries("fig1", "claim.biology_numbers")

# %% [markdown]
# ### Section 3.2: the problems of backprop

# %%
report.entry("claim.problem_list")

# %% [markdown]
# ### Section 3.3: rates and spikes
#
# The leaky integrate-and-fire neuron fires at r(j) = 1 / (t_ref − τ_RC · ln(1 − V_th/j)) for a
# constant current j above the threshold V_th = 1 (eq. 37); the smoothed rate replaces j − V_th by
# ρ(j − V_th) with ρ(x) = γ · ln(1 + exp(x/γ)) (eq. 38).

# %%
report.entries("fig2a", "fig2b")

# %%
report.theorems(
    "eq36.lif_solution",
    "eq37.lif_rate",
    "eq38.soft_rate",
    "eq39.poisson_coding",
    "eq40.alpha_filter",
)

# %%
report.entry("claim.poisson_noise")

# %% [markdown]
# ### Section 3.4: from rates to spikes

# %%
report.entries("fig2c", "claim.activation_scaling", "claim.alpha_filter_tau", "claim.readout")

# %%
report.theorems("eq42.bn_fusion")

# %% [markdown]
# ### Section 3.5: predictive coding and Z-IL
#
# With value nodes x and predictions u = W f(x) + b, inference learning lowers the energy
# F = ½ Σ ‖x − u‖². Z-IL starts at the forward pass, moves with step γ = 1 and updates the weights
# of each layer when the error first reaches it.

# %%
report.entry("fig3")

# %%
report.theorems(
    "eq46.pcn_il",
    "claim.pcn_prediction_is_forward_pass",
    "eq47.error_nodes_match_bp",
    "zil_algorithm",
    "eq50.pcn_softmax",
    "eq54.pcn_batch_norm",
)

# %% [markdown]
# ## Chapter 4: results

# %%
report.entry("fig4")

# %% [markdown]
# ### Section 4.1: Z-IL against backprop

# %%
report.entries("fig5", "claim.zil_equals_backprop_training", "claim.zil_final_accuracy")

# %% [markdown]
# ### Section 4.2: rates and spikes on MNIST
#
# #### Table 1

# %%
report.table1()

# %%
report.entry("table1")

# %%
report.entries(
    "fig6",
    "claim.spiking_drop",
    "claim.noise_may_close_the_drop",
    "claim.spcn_near_snn",
    "claim.bn_spiking_exception",
)

# %% [markdown]
# ### Section 4.3: biological constraints

# %%
report.constraints()

# %%
report.entries("claim.constraints", "claim.local_updates", "claim.symmetric_weights")

# %% [markdown]
# ### Sections 1.1 and 4.4: reviewed, not measured

# %%
report.entries("claim.reviewed_methods", "claim.hardware")

# %% [markdown]
# ## Chapter 5 and the appendix

# %%
report.entry("claim.il_cost")

# %%
report.theorems("eq55.bn_derivatives")

# %% [markdown]
# ## The draft
#
# The draft repeats pictures of the final thesis; its research questions hold no numbers.

# %%
report.entries("draft.fig1", "draft.fig2", "draft.fig3", "draft.research_questions")

# %% [markdown]
# ## Which protocol yields the published number
#
# Mean over seeds in each protocol. *Nearest* is the protocol whose mean is nearest; a published
# value is a single run, so the last column asks in which protocol a single run would give it.

# %%
report.which_protocol()

# %% [markdown]
# ## Which of the thesis's explanations survive

# %%
report.causes()

# %% [markdown]
# ## Beyond the thesis
#
# Questions that the thesis leaves open.

# %%
report.beyond("beyond.simulation_time")

# %%
report.beyond("beyond.input_rate")

# %%
report.beyond("beyond.energy")

# %%
report.beyond("beyond.conversion_diagnostic")

# %% [markdown]
# ## Run times

# %%
report.runtimes()

# %%
report.unshown()
