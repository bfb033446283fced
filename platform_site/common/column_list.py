"""A column of related rows as one value of the row that they belong to."""

from typing import Any

from django.db.models import JSONField, Subquery


class ColumnList(Subquery):
    """The only column of a subquery as a list, in the subquery's order.

    In a list of twenty rows it takes the place of a query of its own for the related ones.
    """

    def __init__(self, queryset: Any) -> None:
        super().__init__(queryset, output_field=JSONField())

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="TO_JSONB(ARRAY(%(subquery)s))")

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        (column,) = self.query.values_select
        template = "(SELECT JSON_GROUP_ARRAY(%(column)s) FROM (%(subquery)s))"
        column = compiler.quote_name_unless_alias(column)
        return self.as_sql(compiler, connection, template=template, column=column)
