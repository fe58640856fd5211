"""Ratings that several processes train on together: the learner that `collab_learner` makes under torchrun."""
