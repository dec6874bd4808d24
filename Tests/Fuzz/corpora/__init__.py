"""What a fuzzer begins with, by the part of the server that reads it."""
