"""Message templates: the syntax of Django's, with `if` and `for` and a few filters, and no more.

An editor of templates reaches nothing but the context: no loader, no include, no settings, no file.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.template import (
    Context,
    Engine,
    Library,
    Template,
    TemplateSyntaxError,
    defaultfilters,
    defaulttags,
)
from django.template.base import Variable, VariableNode

from platform_site.common.errors import Invalid

register = Library()
register.tag("if", defaulttags.do_if)
register.tag("for", defaulttags.do_for)
for _name in ("capfirst", "default", "join", "length", "lower", "title", "upper"):
    register.filter(_name, getattr(defaultfilters, _name))


@register.filter
def amount(value: Any) -> str:
    """`1234.5` as `1,234.50`; text that is no number as it is."""
    try:
        return f"{Decimal(str(value)):,.2f}"
    except InvalidOperation:
        return str(value)


class _Engine(Engine):
    default_builtins = [__name__]


_engine = _Engine(dirs=[], loaders=[], libraries={}, autoescape=False)


def compiled(source: str) -> Template:
    """The template of a text. Raises TemplateSyntaxError, also for what is not offered."""
    return Template(source, engine=_engine)


def render(source: str, context: dict[str, Any]) -> str:
    """The text with the context filled in."""
    return compiled(source).render(Context(context, autoescape=False))


def check(source: str, variables: Iterable[str], *, field: str) -> None:
    """Raises Invalid for a text that does not compile or that names an undeclared variable."""
    try:
        template = compiled(source)
    except TemplateSyntaxError as error:
        raise Invalid(f"The {field} cannot be read: {error}.", field=field) from error
    unknown = sorted(_roots(template.nodelist) - set(variables))
    if unknown:
        raise Invalid(f"The {field} uses {unknown[0]}, which is not declared.", field=field)


def _roots(nodes: Iterable[Any], bound: frozenset[str] = frozenset()) -> set[str]:
    """The names that the nodes read from the context, without those bound by a loop around them."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, VariableNode):
            found |= _names(node.filter_expression)
        elif isinstance(node, defaulttags.ForNode):
            loop: Any = node  # the stubs know its parts only as they are before parsing
            inner = bound | {"forloop", *loop.loopvars}
            found |= _names(loop.sequence)
            found |= _roots(loop.nodelist_loop, inner) | _roots(loop.nodelist_empty, bound)
        elif isinstance(node, defaulttags.IfNode):
            for condition, nodelist in node.conditions_nodelists:
                found |= _asked(condition) | _roots(nodelist, bound)
    return found - bound


def _asked(condition: Any) -> set[str]:
    """The names in the condition of an `if`: a literal or an operator over one or two."""
    if condition is None:
        return set()
    if isinstance(condition, defaulttags.TemplateLiteral):
        literal: Any = condition  # its value is an expression, whatever the stubs say
        return _names(literal.value)
    return _asked(condition.first) | _asked(getattr(condition, "second", None))


def _names(expression: Any) -> set[str]:
    arguments = [value for _, values in expression.filters for _, value in values]
    variables = [v for v in (expression.var, *arguments) if isinstance(v, Variable)]
    return {variable.lookups[0] for variable in variables if variable.lookups}
