"""Drawing factors from their posterior by Gibbs sampling: kernels, sides, chains. Knows nothing of frames or names."""
