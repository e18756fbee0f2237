"""The formats that training data is found in, by name: one module each, a record to its messages."""
