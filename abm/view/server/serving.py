"""Starts the server: the page on Mesa's Solara server, with every file from this machine."""

from __future__ import annotations

import os
import socket
import threading
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NoReturn

from abm.config import Experiment
from abm.errors import ConfigError

INSTALL = 'pip install -e ".[viz]"'
NEEDED = ("solara", "uvicorn", "ipyvuetify", "ipyvue", "solara_assets")
SETTINGS = {
    "SOLARA_APP": "abm.view.server.page",
    "SOLARA_MODE": "production",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",  # nothing is told to anybody
    "SOLARA_ASSETS_PROXY": "True",  # the browser asks this server, not a CDN
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_KERNEL_CULL_TIMEOUT": "5m",  # a tab that was closed is freed at once; one that lost its line, after this
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_THEME_LOADER": "plain",
    "SOLARA_GC_FREEZE": "False",
}


def require_extras() -> None:
    """ConfigError, with the command that installs it, where something is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"the page needs {', '.join(missing)}; install with: {INSTALL}")


def serve(experiment: Experiment, host: str, port: int, browser: bool, tell: Callable[[str], None]) -> None:
    """Serve an experiment until interrupted; `tell` hears the address.

    Raises ConfigError where the extras are missing or the port is taken.
    """
    require_extras()
    bound = _bind(host, port)
    os.environ.update(SETTINGS)
    from abm.view.server import page
    from abm.view.server.session import RESTED

    page.Served.experiment = experiment
    server = _server(host)
    RESTED.ask(experiment, 0)  # the tissue rests while the browser starts
    name = "localhost" if host in ("127.0.0.1", "::1") else host
    address = f"http://{name}:{bound.getsockname()[1]}/"
    tell(f"{experiment.name}: {address}  (Ctrl-C ends it)")
    if browser:
        threading.Timer(1.0, webbrowser.open, (address,)).start()
    server.run(sockets=[bound])


def _bind(host: str, port: int) -> socket.socket:
    """The socket to listen on."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    return bound


def _server(host: str) -> Any:
    import solara.server.cdn_helper
    import uvicorn
    from solara.server.starlette import app

    solara.server.cdn_helper.fetch_from_cdn = _nothing_from_outside
    return uvicorn.Server(uvicorn.Config(app, host=host, log_level="warning", timeout_graceful_shutdown=2))


def _nothing_from_outside(url: str, *_: object) -> NoReturn:
    """In place of Solara's way to the CDN: what is not installed is not found."""
    raise FileNotFoundError(url)
