"""What the end-to-end tests share: servers, clients and credentials."""
