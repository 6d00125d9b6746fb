"""gRPC: the server, its interceptors and health, and the channels to other services."""
