"""The registry in two APIs: `platform` and `coordinator`, thin over the same services."""
