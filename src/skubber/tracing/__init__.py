"""OpenTelemetry traces of publishes and webhook requests, with the extra ``opentelemetry``."""
