"""What the integration tests, the soak and the benchmarks share: nodes, clients, checkers."""
