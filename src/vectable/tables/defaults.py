"""Defaults that the learner, the estimators and the commands of tables share; each is changed here alone."""

WEIGHT_DECAY = 0.01
"""Of a net that learns a table, by Python or by command."""

LAYERS, N_MODELS = (64, 32), 4
"""Of `TabularClassifier`, `TabularRegressor` and `vectable train table`: several small nets are as quick as one large,
and better."""

EPOCHS, STEPS, RATE, DECAY = 12, 200, 4e-3, 0.3
"""How such a net trains where nothing is chosen on held-out rows: at least so many epochs and steps, the highest
learning rate of the cycle, and the weight decay."""

SMALLEST_BATCH, LARGEST_BATCH, STEPS_PER_EPOCH = 16, 256, 16


def batch_size_for(n_rows: int, largest: int = LARGEST_BATCH) -> int:
    """Rows per step: `largest`; with fewer than 16 times as many rows a power of two for some 16 steps per epoch,
    at least 16: so that few rows are enough steps for a net to learn at all."""
    power_of_two = 1 << (n_rows // STEPS_PER_EPOCH).bit_length() >> 1
    return min(max(power_of_two, SMALLEST_BATCH), largest)


def epochs_for(n_steps: int, enough: int = EPOCHS) -> int:
    """Epochs: `enough`, and where they have few steps (`n_steps` each) as many as make 200 steps."""
    return max(enough, -(-STEPS // n_steps))


FACTORISATION_WEIGHT_DECAY = 0.1
"""Of a factorization machine: as for ratings, all its parameters are vectors and biases of categories."""
