"""The expressions of DynamoDB: conditions, filters, key conditions, projections, updates.

Parsed into tuples, once for each text; names and values are looked up when an expression is used. "Using expressions
in DynamoDB" of the Developer Guide. Reserved words and placeholders that nothing uses are refused, as DynamoDB does.

    path      ("path", (name or number, …))        a name that begins with # is a placeholder
    operand   path | ("value", ":name") | ("size", path)
    condition ("and"|"or", one, other) ("not", one) ("=", one, other) … ("between", one, low, high)
              ("in", one, (others…)) ("attribute_exists", path) …
    update    ("SET", path, operand) ("REMOVE", path) ("ADD", path, value) ("DELETE", path, value)
              where an operand of SET may be ("+"|"-", one, other), ("if_not_exists", path, operand),
              ("list_append", one, other)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from local.cloud.dynamodb.reserved import RESERVED
from local.cloud.errors import AwsError, validation

Node = tuple[Any, ...]

LIMIT = 4096  # bytes of an expression

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_#:][A-Za-z0-9_]*)|(?P<number>\d+)|(?P<sign><>|<=|>=|[=<>()\[\],.+-]))")
_COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_ONE_PATH = ("attribute_exists", "attribute_not_exists")
_TWO_OPERANDS = ("begins_with", "contains", "attribute_type")


@lru_cache(maxsize=1024)
def condition(text: str, kind: str = "ConditionExpression") -> Node:
    """Raises AwsError."""
    parser = _Parser(text, kind)
    found = parser.condition()
    parser.end()
    return found


@lru_cache(maxsize=1024)
def projection(text: str) -> tuple[Node, ...]:
    """Paths. Raises AwsError."""
    parser = _Parser(text, "ProjectionExpression")
    paths = [parser.path()]
    while parser.take(","):
        paths.append(parser.path())
    parser.end()
    return tuple(paths)


@lru_cache(maxsize=1024)
def update(text: str) -> tuple[Node, ...]:
    """Actions. Raises AwsError."""
    parser = _Parser(text, "UpdateExpression")
    actions = parser.clauses()
    parser.end()
    return tuple(actions)


@lru_cache(maxsize=1024)
def placeholders(text: str) -> frozenset[str]:
    """Every #name and :value in an expression."""
    return frozenset(re.findall(r"[#:][A-Za-z0-9_]+", text))


class _Parser:
    """A recursive descent over the tokens of one expression."""

    def __init__(self, text: str, kind: str) -> None:
        if not text.strip():
            raise validation(f"Invalid {kind}: The expression can not be empty;")
        if len(text.encode()) > LIMIT:
            raise validation(f"Invalid {kind}: Expression size has exceeded the maximum allowed size;")
        self._kind = kind
        self._text = text
        self._tokens = self._split(text)
        self._at = 0

    def _split(self, text: str) -> list[str]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self.error(text[at : at + 10])
            tokens.append(found.group().strip())
            at = found.end()
        return tokens

    def error(self, near: str) -> AwsError:
        return validation(f'Invalid {self._kind}: Syntax error; token: "{near}", near: "{self._text[:80]}"')

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise self.error(self._tokens[self._at])

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else "<EOF>"

    def next(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def take(self, sign: str) -> bool:
        if self.peek() == sign:
            self._at += 1
            return True
        return False

    def word(self, *words: str) -> str:
        """The next token in capitals if it is one of these words; then it is taken."""
        token = self.peek().upper()
        if token in words:
            self._at += 1
            return token
        return ""

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise self.error(self.peek())

    # conditions

    def condition(self) -> Node:
        found = self._both()
        while self.word("OR"):
            found = ("or", found, self._both())
        return found

    def _both(self) -> Node:
        found = self._negated()
        while self.word("AND"):
            found = ("and", found, self._negated())
        return found

    def _negated(self) -> Node:
        if self.word("NOT"):
            return ("not", self._negated())
        return self._simple()

    def _simple(self) -> Node:
        if self.take("("):
            found = self.condition()
            self.expect(")")
            return found
        name = self.peek()
        if self._is_call() and name in _ONE_PATH:
            self._at += 2
            path = self.path()
            self.expect(")")
            return (name, path)
        if self._is_call() and name in _TWO_OPERANDS:
            self._at += 2
            one = self.operand()
            self.expect(",")
            other = self.operand()
            self.expect(")")
            return (name, one, other)
        return self._comparison(self.operand())

    def _comparison(self, one: Node) -> Node:
        if self.word("BETWEEN"):
            low = self.operand()
            if not self.word("AND"):
                raise self.error(self.peek())
            return ("between", one, low, self.operand())
        if self.word("IN"):
            self.expect("(")
            others = [self.operand()]
            while self.take(","):
                others.append(self.operand())
            self.expect(")")
            if len(others) > 100:
                raise validation(f"Invalid {self._kind}: The IN operator takes at most 100 operands")
            return ("in", one, tuple(others))
        sign = self.next()
        if sign not in _COMPARATORS:
            raise self.error(sign)
        return (sign, one, self.operand())

    # operands

    def _is_call(self) -> bool:
        return self._at + 1 < len(self._tokens) and self._tokens[self._at + 1] == "("

    def operand(self) -> Node:
        if self.peek() == "size" and self._is_call():
            self._at += 2
            path = self.path()
            self.expect(")")
            return ("size", path)
        if self.peek().startswith(":"):
            return ("value", self.next())
        return self.path()

    def path(self) -> Node:
        steps: list[str | int] = [self._name()]
        while True:
            if self.take("."):
                steps.append(self._name())
            elif self.take("["):
                digits = self.next()
                if not digits.isdigit():
                    raise self.error(digits)
                steps.append(int(digits))
                self.expect("]")
            else:
                return ("path", tuple(steps))

    def _name(self) -> str:
        token = self.next()
        if not re.fullmatch(r"#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*", token):
            raise self.error(token)
        if token.upper() in RESERVED:
            raise validation(f"Invalid {self._kind}: Attribute name is a reserved keyword; reserved keyword: {token}")
        return token

    # updates

    def clauses(self) -> list[Node]:
        actions: list[Node] = []
        seen: set[str] = set()
        while self._at < len(self._tokens):
            clause = self.word("SET", "REMOVE", "ADD", "DELETE")
            if not clause:
                raise self.error(self.peek())
            if clause in seen:
                raise validation(
                    f'Invalid UpdateExpression: The "{clause}" section can only be used once in an update expression;'
                )
            seen.add(clause)
            actions.append(self._action(clause))
            while self.take(","):
                actions.append(self._action(clause))
        return actions

    def _action(self, clause: str) -> Node:
        path = self.path()
        if clause == "REMOVE":
            return (clause, path)
        if clause == "SET":
            self.expect("=")
            one = self._assigned()
            if (sign := self.peek()) in ("+", "-"):
                self._at += 1
                one = (sign, one, self._assigned())
            return (clause, path, one)
        value = self.next()
        if not value.startswith(":"):
            raise self.error(value)
        return (clause, path, ("value", value))

    def _assigned(self) -> Node:
        name = self.peek()
        if self._is_call() and name in ("if_not_exists", "list_append"):
            self._at += 2
            one = self.path() if name == "if_not_exists" else self._assigned()
            self.expect(",")
            other = self._assigned()
            self.expect(")")
            return (name, one, other)
        return self.operand()
