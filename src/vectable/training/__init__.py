"""The Learner and its parts: schedules, finder, optimizers, callbacks, recorder, engines."""
