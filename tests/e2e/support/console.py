"""The console in a browser, as a person uses it."""

import json
from pathlib import Path
from typing import Any

from .javascript import JavaScript

WIDE = (1280, 900)
PHONE = (390, 844)


class Console:
    """The console, open in a browser.

    Args:
        browser: the browser.
        url: the server's.
    """

    def __init__(self, browser: JavaScript, url: str) -> None:
        self._browser = browser
        self._url = url

    @classmethod
    async def opened(cls, browser: JavaScript, url: str, path: str = "") -> "Console":
        """Open it, wherever that leads."""
        console = cls(browser, url)
        await browser.call("open", page="console", url=f"{url}/console{path}")
        await console.look()
        return console

    async def open(self) -> None:
        """Open it anew."""
        await self._call("go", url=f"{self._url}/console")

    async def look(self, size: tuple[int, int] = WIDE, scheme: str = "light") -> None:
        """Look at it on a screen of some size, in the light or in the dark."""
        await self._call("look", width=size[0], height=size[1], scheme=scheme)

    async def sign_in(self, token: str) -> None:
        """Sign in, as somebody who uses no mouse."""
        await self.wait_for("role=textbox[name='Admin token'] >> visible=true")
        await self._call("type", text=token)
        await self._call("press", key="Enter")
        await self.wait_for("nav[aria-label=Console]")

    async def go(self, path: str, heading: str) -> None:
        """Go to a page, and wait until it has loaded."""
        await self._call("go", url=f"{self._url}/console{path}")
        await self.is_at(heading)

    async def is_at(self, heading: str) -> None:
        """Wait until a page has come, and all that it loads."""
        await self.wait_for(f"h1:text-is({json.dumps(heading)})")
        await self.wait_for("main:not(:has-text('Loading'))")

    async def wait_for(self, selector: str) -> None:
        await self._call("wait_for", selector=selector)

    async def click(self, selector: str) -> None:
        await self._call("click", selector=selector)

    async def press(self, name: str) -> None:
        """Press a button by its name."""
        await self.click(f"role=button[name={json.dumps(name)}]")

    async def fill(self, label: str, value: str, role: str = "textbox") -> None:
        """Fill in a field by its label and its role."""
        await self._call("fill", selector=f"role={role}[name={json.dumps(label)}]", value=value)

    async def key(self, key: str) -> None:
        """Press a key."""
        await self._call("press", key=key)

    async def text(self, selector: str = "main") -> str:
        found: str = await self._call("text", selector=selector)
        return found

    async def evaluate(self, expression: str) -> Any:
        return await self._call("evaluate", expression=expression)

    async def buttons(self) -> set[str]:
        """What the buttons of the page say."""
        script = "[...document.querySelectorAll('main button')].map((each) => each.innerText)"
        return set(await self.evaluate(script))

    async def barriers(self) -> list[Any]:
        """What axe-core finds serious or critical."""
        found: list[Any] = await self._call("accessibility")
        return found

    async def fits(self) -> bool:
        """Whether nothing of the page is beyond the screen's edge."""
        return bool(await self.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    async def photograph(self, path: Path) -> None:
        await self._call("screenshot", path=str(path))

    async def _call(self, command: str, **parameters: Any) -> Any:
        return await self._browser.call(command, page="console", **parameters)
