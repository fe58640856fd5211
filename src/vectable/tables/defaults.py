"""Defaults that the learner, the estimators and the commands of tables share; each is changed here alone."""

WEIGHT_DECAY = 0.01
"""Of a net that learns a table, by Python or by command."""

LAYERS, N_MODELS = (64, 32), 4
"""Of `TabularClassifier` and `TabularRegressor`: several small nets are as quick as one large, and better."""

FACTORISATION_WEIGHT_DECAY = 0.1
"""Of a factorization machine: as for ratings, all its parameters are vectors and biases of categories."""
