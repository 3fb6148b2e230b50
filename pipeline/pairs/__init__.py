"""Pairs of colour and line art that the artbook draws, as files to train a colorizer on."""
