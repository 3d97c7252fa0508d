"""The network: WiFi, an HTTP client, the time."""
