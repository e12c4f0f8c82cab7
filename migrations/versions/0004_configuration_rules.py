"""A configuration's rules are kept as such, and what intake needs beside them. Revision 0004.

Until here the text of the file was kept and read whenever a rule was asked for. Rules are JSON,
which is YAML: the version before reads them as if they were the file.
"""

import json
import re

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MEMORY = sa.table("repositories", sa.column("id"), sa.column("memory", sa.JSON()))

# YAML 1.2's core schema: https://yaml.org/spec/1.2.2/#103-core-schema
NULL = re.compile("~|null|Null|NULL|")
BOOL = re.compile("true|True|TRUE|false|False|FALSE")
INT = re.compile("[-+]?[0-9]{1,18}")
FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]{1,18}\.[0-9]*|[0-9]{1,18}(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?"
)


def upgrade() -> None:
    _change(_with_rules)


def downgrade() -> None:
    _change(_without_intake)


def _change(change) -> None:
    connection = op.get_bind()
    for repository_id in connection.scalars(sa.select(MEMORY.c.id)).all():
        row = MEMORY.c.id == repository_id
        memory = connection.scalars(sa.select(MEMORY.c.memory).where(row)).one()
        kept = memory.get("configuration")
        if isinstance(kept, dict):
            changed = {**memory, "configuration": change(kept)}
            connection.execute(MEMORY.update().where(row).values(memory=changed))


def _with_rules(kept: dict) -> dict:
    text = kept.get("valid")
    data = {} if text is None else _data(text)
    delay = data.get("delay_seconds")
    return {
        **kept,
        "valid": None if text is None else json.dumps(data, ensure_ascii=False),
        "intake": {
            "delay_seconds": 120 if delay is None else delay,
            "fallback_label": data.get("fallback_label"),
        },
    }


def _without_intake(kept: dict) -> dict:
    return {key: value for key, value in kept.items() if key != "intake"}


def _data(text: str) -> dict:
    node = yaml.compose(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader)
    data = None if node is None else _value(node)
    return data if isinstance(data, dict) else {}


def _value(node: yaml.Node):
    if isinstance(node, yaml.MappingNode):
        return {key.value: _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    text = node.value
    if node.style is not None:  # quoted, or a block
        return text
    if NULL.fullmatch(text):
        return None
    if BOOL.fullmatch(text):
        return text.lower() == "true"
    if INT.fullmatch(text):
        return int(text)
    if FLOAT.fullmatch(text):
        return float(text)
    return text
