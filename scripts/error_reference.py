"""Writes docs/reference/errors.md, from the places in the sources that make errors.

python scripts/error_reference.py [--check] [FILE]
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import skubber
from reference_page import prose, table, write
from skubber.core.errors import MethodNotAllowedError, SkubberError
from skubber.web.asyncapi import SIDES

SOURCE = Path(skubber.__file__).parent

_INTRODUCTION = """\
Everything that can be wrong with a request has a code, which never changes its meaning, and a sentence that says what
to do, which may be reworded. HTTP answers have both as JSON:

```json
{"code":"no_such_app","error":"There is no app with this id."}
```

A SignalR call fails with the sentence and the code in parentheses behind it. Pusher clients get `pusher:error`, or
`pusher:subscription_error` with the status. `…` stands for what differs from case to case."""

_UNFORESEEN = """\
A failure of the server's own is answered 500 with the code `internal_error`; the log says why. Repeat what is answered
429 or 503 after the seconds that `Retry-After` names."""

# Who is told, by the first part of the path of the file that makes the error; the longest that fits.
_TOLD = {
    "api": "the HTTP API",
    "api/access_tokens.py": "access tokens",
    "brokers": "the HTTP API, clients",
    "codecs": "clients",
    "core": "the HTTP API, clients",
    "sessions": "clients",
    "sessions/signalr": "SignalR clients",
    "store": "administration",
    "web": "any request",
    "web/admin": "administration",
    "web/pusher_http.py": "Pusher clients over HTTP",
    "web/signalr.py": "SignalR clients",
}


@dataclass(frozen=True, slots=True, order=True)
class Made:
    """An error as a place in the sources makes it.

    Attributes:
        code: its code.
        status: its HTTP status.
        sentence: what it says; empty where it is not known before.
        file: the file, from the package's folder on.
    """

    code: str
    status: int
    sentence: str
    file: str


def errors() -> Iterator[Made]:
    """Every error that is made with a code of its own."""
    statuses = {error.__name__: error.status for error in SkubberError.__subclasses__()}
    for file in SOURCE.rglob("*.py"):
        name = file.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[ast.Constant(value=str(code)), sentence, *_]) if (
                    error in statuses
                ):
                    yield Made(code, statuses[error], _text(sentence), name)
                case ast.Call(func=ast.Name(id=MethodNotAllowedError.__name__)):
                    allowed = MethodNotAllowedError("…")
                    yield Made(allowed.code, allowed.status, allowed.message, name)


def _text(node: ast.expr) -> str:
    """What a piece of text says, with … where it differs."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.FormattedValue():
            return "…"
    return ""


def _told(file: str) -> str:
    return _TOLD[max((prefix for prefix in _TOLD if file.startswith(prefix)), key=len)]


def body() -> Iterator[str]:
    """The page's paragraphs."""
    yield _INTRODUCTION
    yield "## Codes"
    by_code: defaultdict[str, list[Made]] = defaultdict(list)
    for each in sorted(set(errors())):
        by_code[each.code].append(each)
    rows = [
        (
            f"`{code}`",
            str(made[0].status),
            "<br>".join(dict.fromkeys(_as_text(each.sentence) for each in made if each.sentence.strip("….")))
            or "the reason",
            ", ".join(sorted({part for each in made for part in _told(each.file).split(", ")})),
        )
        for code, made in by_code.items()
    ]
    yield table(("Code", "Status", "Sentences", "Who is told"), rows)
    yield _UNFORESEEN
    yield "## Statuses"
    kinds = sorted(SkubberError.__subclasses__(), key=lambda kind: kind.status)
    meanings = ((str(kind.status), prose((kind.__doc__ or "").splitlines()[0]).rpartition(":")[0]) for kind in kinds)
    yield table(("Status", "Meaning"), [(status, f"{meaning}.") for status, meaning in meanings])
    pusher = SIDES[0]
    yield f"## {pusher.errors_title} of the {pusher.title}"
    yield table(("Code", "Meaning"), [(str(error.code), error.meaning) for error in pusher.errors])


def _as_text(sentence: str) -> str:
    """A sentence in which nothing is markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>" else character for character in sentence)


if __name__ == "__main__":
    write(__file__, "errors.md", "Errors", body)
