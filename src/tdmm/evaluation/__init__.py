"""How good: a reader without learned weights, metrics, reports."""
