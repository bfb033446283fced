"""Logs: one JSON object a line on the terminal, and one rotated file for each agent."""

from pathlib import Path
from typing import Any

import structlog

SIZE, FILES = 10 * 1024 * 1024, 5


def logging_config(folder: Path, level: str, agent_ids: list[str]) -> dict[str, Any]:
    """Django's LOGGING. An agent logs to `agents.<agent id>`, which has a file of its own."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.stdlib.ExtraAdder(),
    ]
    files = {
        agent_id: {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": str(folder / "agents" / f"{agent_id}.log"),
            "maxBytes": SIZE,
            "backupCount": FILES,
            "formatter": "json",
            "delay": True,
        }
        for agent_id in agent_ids
    }
    (folder / "agents").mkdir(parents=True, exist_ok=True)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": structlog.processors.JSONRenderer(),
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {
            "terminal": {"class": "logging.StreamHandler", "formatter": "json"},
            **files,
        },
        "root": {"handlers": ["terminal"], "level": level},
        "loggers": {
            **{
                f"agents.{agent_id}": {"handlers": [agent_id], "propagate": False}
                for agent_id in agent_ids
            },
            "axes": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
        },
    }
