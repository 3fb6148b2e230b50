"""What every training shares: checkpoints, log, learning rate, average of weights, device."""
