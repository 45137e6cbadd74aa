"""Starts the server: the page on Mesa's Solara server, with every file from this machine."""

from __future__ import annotations

import os
import socket
import threading
import warnings
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from abm.config import Experiment
from abm.errors import ConfigError
from abm.study.results import Results

INSTALL = 'pip install -e ".[viz]"'
NEEDED = ("solara", "uvicorn", "ipyvuetify", "ipyvue")
ASSETS = "@widgetti/solara-vuetify-app@10.1.1"
SETTINGS = {
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


def require_assets(folder: Path) -> None:
    """ConfigError where the browser's files are not on this machine."""
    if not (folder / ASSETS).is_dir():
        raise ConfigError(f"{folder} lacks the browser's files; install with: {INSTALL}")


def serve_experiment(experiment: Experiment, host: str, port: int, browser: bool, tell: Callable[[str], None]) -> None:
    """Serve an experiment until interrupted; `tell` hears the address.

    Raises ConfigError where the extras are missing or the port is taken.
    """
    bound = _prepare(host, port, "abm.view.server.page")
    from abm.view.server.page import Served
    from abm.view.server.session import RESTED

    Served.experiment = experiment
    RESTED.ask(experiment, 0)  # rests while the browser starts, and is kept as long as the server runs
    _run(_application(), bound, host, browser, lambda address: tell(f"{experiment.name}: {address}  (Ctrl-C ends it)"))


def serve_results(results: Results, host: str, port: int, browser: bool, tell: Callable[[str], None]) -> None:
    """Serve finished results, with their report, until interrupted; raises as `serve_experiment`, and ResultsError."""
    bound = _prepare(host, port, "abm.view.server.results_page")
    from starlette.responses import FileResponse
    from starlette.routing import Route

    from abm.view.server import results_page
    from abm.view.server.browsing import Browser

    results_page.Served.browser = Browser(results)
    _ = results.states, results.traces  # what is missing is said now
    app = _application()
    app.router.routes.insert(0, Route(results_page.REPORT, lambda request: FileResponse(results.path / "report.html")))
    _run(app, bound, host, browser, lambda address: tell(f"{results.path}: {address}  (Ctrl-C ends it)"))


def _prepare(host: str, port: int, page: str) -> socket.socket:
    """Check and set what has to be set before Solara is loaded; the socket to listen on."""
    from abm.view.server.memory import keep_flat

    require_extras()
    bound = _bind(host, port)
    keep_flat()
    os.environ.update(SETTINGS | {"SOLARA_APP": page})
    return bound


def _run(app: Any, bound: socket.socket, host: str, browser: bool, tell: Callable[[str], None]) -> None:
    import uvicorn

    address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}/"
    server = uvicorn.Server(uvicorn.Config(app, host=host, log_level="warning", timeout_graceful_shutdown=2))
    tell(address)
    if browser:
        threading.Timer(1.0, webbrowser.open, (address,)).start()
    with suppress(KeyboardInterrupt):  # the usual way to end it
        server.run(sockets=[bound])


def _bind(host: str, port: int) -> socket.socket:
    """The socket to listen on."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)  # whoever comes before the page is ready waits
    except OSError as error:
        bound.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    return bound


def _application() -> Any:
    """Solara's own application, without its way to the CDN."""
    import solara.server.cdn_helper
    import solara.server.settings
    from solara.server.starlette import app

    require_assets(Path(solara.server.settings.assets.proxy_cache_dir))
    solara.server.cdn_helper.fetch_from_cdn = _nothing_from_outside
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")  # of pages within other pages
    return app


def _nothing_from_outside(url: str, *_: object) -> NoReturn:
    """In place of Solara's way to the CDN: what is not installed is not found."""
    raise FileNotFoundError(url)
