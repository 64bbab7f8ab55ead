"""Training: clips as bytes on the device, the field's degradation, recipes as files, a loop that can be resumed."""
