"""The functions are held to what "JavaScript runtime 2.0 features for CloudFront Functions" lists.

Neither engine of the other tests would mind a construct that CloudFront does not take.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

from edge.build import CODE_LIMIT, FUNCTIONS, built, source

# Syntax by the names of tree-sitter's grammar: ES 5.1, and of the later editions const and let, arrow functions,
# template literals, async and await, and imports. No destructuring, spread, default, class, for-of, ?. or ??.
_SYNTAX = """
    arguments array arrow_function assignment_expression augmented_assignment_expression await_expression
    binary_expression break_statement
    call_expression catch_clause comment continue_statement else_clause escape_sequence expression_statement false
    for_statement formal_parameters function_declaration identifier if_statement import_clause import_statement
    lexical_declaration member_expression new_expression null number object pair parenthesized_expression program
    property_identifier regex regex_flags regex_pattern return_statement statement_block string string_fragment
    subscript_expression template_string template_substitution ternary_expression throw_statement true
    try_statement unary_expression update_expression variable_declarator while_statement
"""
_TOKENS = """
    ! != !== % && ( ) * + ++ += , - -- -= . / : ; < <= = === => > >= ? [ ] { } || | & ^ ' ` ${
    async await break catch const continue delete else false for from function if import let new null return throw
    true try typeof while
"""
# Methods of ES 5.1, of the runtime's Buffer and crypto, of the `cloudfront` module and of the event's request.
_METHODS = """
    call concat create exec forEach indexOf keys lastIndexOf log now parse push replace slice split stringify test
    toLowerCase toString
    createHash createHmac digest from update
    createRequestOriginGroup get kvs rawQueryString selectRequestOriginById
"""
_GLOBALS = {"Buffer", "Date", "JSON", "Number", "Object", "console", "decodeURIComponent"}
_MODULES = {"cf": "cloudfront", "crypto": "crypto"}

_PARSER = Parser(Language(tree_sitter_javascript.language()))


def _unsupported(code: str) -> list[str]:
    """What in the code the runtime is not known to take."""
    root = _PARSER.parse(code.encode()).root_node
    problems = ["it cannot be parsed"] if root.has_error else []
    for node in _walk(root):
        text = node.text.decode() if node.text else ""
        if node.type not in (_SYNTAX if node.is_named else _TOKENS).split():
            problems.append(f"{node.type}: {text[:60]}")
        elif node.type == "call_expression" and (called := node.child_by_field_name("function")) is not None:
            problems += _unknown_method(called)
        elif node.type == "regex" and (re.search(r"\(\?<|\\[pPk]", text) or set(text.rpartition("/")[2]) - set("gi")):
            problems.append(f"a regular expression beyond ES 5.1: {text}")
        elif node.type == "function_declaration" and text.startswith("async"):
            nested = [inner for inner in _walk(node) if inner.type == "arrow_function"]
            problems += [f"a closure in an async function: {(inner.text or b'')[:60]!r}" for inner in nested]
    return problems


def _unknown_method(called: Node) -> list[str]:
    if called.type != "member_expression":
        return []
    method = called.child_by_field_name("property")
    name = method.text.decode() if method is not None and method.text else ""
    return [] if name in _METHODS.split() else [f"the method {name}"]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_keeps_to_what_the_runtime_documents(name: str) -> None:
    assert _unsupported(built(name)) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_uses_only_known_globals_and_modules(name: str) -> None:
    code = built(name)
    assert set(re.findall(r"(?<![\w.'])([A-Z][a-z]\w*|decodeURI\w*)(?=\.|\()", code)) <= _GLOBALS
    for variable, module in re.findall(r"^import (\w+) from '(\w+)';$", code, re.MULTILINE):
        assert _MODULES[variable] == module
    assert not re.search(r"\b(eval|Function|setTimeout|fetch|process|require|Promise)\b", code)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_fits_in_what_cloudfront_takes(name: str) -> None:
    assert len(built(name).encode()) <= CODE_LIMIT


@pytest.mark.parametrize("name", FUNCTIONS)
def test_building_takes_only_comments_and_layout_away(name: str) -> None:
    kept = [line.strip() for line in source(name).splitlines() if not line.strip().startswith("//")]
    assert built(name).replace("\n", "") == "".join(kept)
    # A line break that is lost ended nothing: another statement, property or argument follows.
    assert all(line[-1] in "{,;" for line in kept if line and f"{line}\n" not in built(name))
    assert "`" not in built(name)  # a template literal over several lines would lose its indentation
    assert " // " not in built(name)  # a comment would take what follows along


def test_the_build_for_one_machine_differs_by_the_scheme_alone() -> None:
    here = built("request", scheme="http")
    assert here != built("request") == here.replace("const SCHEME = 'http';", "const SCHEME = 'https';")


def test_the_build_for_reads_by_the_api_differs_by_that_alone() -> None:
    by_api = built("request", reads="api")
    assert by_api != built("request") == by_api.replace("const READS = 'api';", "const READS = 'function';")


def test_the_function_of_requests_has_room_left() -> None:
    assert len(built("request").encode()) <= CODE_LIMIT - 256


@pytest.mark.parametrize(
    "code",
    [
        "const { a } = b;",
        "const a = [...b];",
        "for (const a of b) { c(a); }",
        "const a = b?.c;",
        "const a = b ?? c;",
        "class A {}",
        "function f(a = 1) { return a; }",
        "const a = { b };",
        "const a = b.replaceAll('c', 'd');",
        "const a = /(?<name>b)/;",
        "const a = /b/s;",
        "async function f(a) { a.forEach((b) => g(b)); }",
        "function* f() {}",
        "const a = ;",
    ],
)
def test_what_the_runtime_does_not_document_is_found(code: str) -> None:
    assert _unsupported(code)
