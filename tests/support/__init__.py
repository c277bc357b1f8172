"""What several tests need: builders of events and a store in memory."""
