"""The scikit-learn face: the learners as estimators, a family a file."""
