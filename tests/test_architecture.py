"""What holds for every model, service, event and route, asserted over the registries themselves."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.urls import get_resolver

from ecommerce.agents import AGENTS
from platform_site.common.access import MATRIX, SERVICES
from platform_site.common.models import StatefulModel
from tasks.handlers import discover

ROOT = Path(__file__).resolve().parents[1]
OURS = ("platform_site", "messaging", "registry", "tasks", "ecommerce")
APPS = [config for config in apps.get_app_configs() if config.name.startswith(OURS)]
MODELS = [model for config in APPS for model in config.get_models()]
STATEFUL_MODELS = [model for model in MODELS if issubclass(model, StatefulModel)]
SOURCES = [
    path
    for package in OURS
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
ROUTES = get_resolver().url_patterns

# Files over 300 lines, each with its reason.
LONG_FILES = {
    "platform_site/settings.py": "one file for every knob; it is read by its headings",
}


def label(value):
    return value.__name__ if inspect.isclass(value) else str(value)


def names_called(tree, name):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


@pytest.mark.parametrize("model", STATEFUL_MODELS, ids=label)
def test_every_status_has_its_line_in_the_transitions_table(model):
    assert set(model.TRANSITIONS) == set(model.Status)
    assert all(allowed <= set(model.Status) for allowed in model.TRANSITIONS.values())


@pytest.mark.parametrize("model", STATEFUL_MODELS, ids=label)
def test_every_status_column_has_its_check(model):
    names = [c.name for c in model._meta.constraints if isinstance(c, models.CheckConstraint)]

    assert any(name.endswith("status_known") for name in names)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_every_model_says_in_a_sentence_what_a_row_is(model):
    first = (model.__doc__ or "").strip().split("\n\n")[0]

    assert not first.startswith(f"{model.__name__}("), "Django's own docstring"
    assert first.endswith("."), first


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_services_emit(path):
    if not names_called(ast.parse(path.read_text()), "emit"):
        return

    place = path.relative_to(ROOT).as_posix()
    assert "services" in place or place in ("messaging/audit.py",), place


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_a_giant(path):
    lines = len(path.read_text().splitlines())
    place = path.relative_to(ROOT).as_posix()

    assert lines <= 300 or place in LONG_FILES, f"{place} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_happens_behind_the_readers_back(path):
    text = path.read_text()

    assert not re.search(r"django\.db\.models\.signals|@receiver|get_model\(", text)
    assert path.name not in ("utils.py", "helpers.py", "misc.py")


def declared_services():
    found = {}
    for config in APPS:
        for path in sorted(Path(config.path).rglob("services*/*.py")) + sorted(
            Path(config.path).glob("services.py")
        ):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and names_with_actor(node):
                    found[f"{config.label}.{node.name}"] = node
    return found


def names_with_actor(node):
    return not node.name.startswith("_") and any(a.arg == "actor" for a in node.args.kwonlyargs)


@pytest.mark.parametrize("name", sorted(declared_services()))
def test_a_service_takes_everything_but_its_entity_by_keyword(name):
    node = declared_services()[name]

    assert len(node.args.args) <= 1, f"{name} takes more than its entity by position"
    assert ast.get_docstring(node), f"{name} says nothing about what it does"


def test_every_permission_of_a_service_is_in_the_matrix():
    assert SERVICES
    assert set(SERVICES.values()) <= set(MATRIX)
    assert all(name.count(".") == 1 for name in SERVICES)


def test_every_event_that_is_listened_to_is_declared():
    declared = set()
    for path in SOURCES:
        if path.name == "events.py" or path.parent.name == "events":
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                    declared.add(node.value.value)

    listened = {handler.event for handler in discover().values() if handler.event}
    assert listened
    assert listened <= declared


def test_the_table_of_agents_is_the_one_of_the_reference():
    assert len(AGENTS) == 27
    assert len({spec.port for spec in AGENTS}) == 27
    reference = ROOT.parent / "shared" / "reference" / "agent-port-reference.md"
    if not reference.exists():
        pytest.skip("the reference documents are not here")
    rows = re.findall(r"\| (\d{4}) \| (\w+)\.py \| ([^|]+) \| ([^|]+) \|", reference.read_text())
    table = {(spec.port, spec.agent_id, spec.name, str(spec.category)) for spec in AGENTS}
    assert table == {(int(port), file, name, category) for port, file, name, category in rows}


def test_fixed_words_are_routed_before_ids():
    seen_ids = []
    for pattern in ROUTES:
        text = str(pattern.pattern)
        literal = re.sub(r"\(\?P<\w+>[^)]*\)", "x", text).strip("^$")
        for earlier in seen_ids:
            if re.match(earlier, literal.replace("/?", "")) and "(?P" not in text:
                raise AssertionError(f"{text} is hidden by {earlier}")
        if "(?P" in text:
            seen_ids.append(text)
