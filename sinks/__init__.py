"""What leaves the stream: the store on ClickHouse with its schema, writers and readers. No arithmetic on rates."""
