"""Tasks in the console."""

from tasks.admin import engine, tasks

__all__ = ["engine", "tasks"]
