"""From a trained model of ratings to lists, reasons and new users. Knows nothing of training."""
