"""What one machine does: throughput, latency and restart, measured on real Kafka and the real engine."""
