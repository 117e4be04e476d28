"""The server under load and under attack, measured from outside; the standard library is enough."""
