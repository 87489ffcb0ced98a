"""Translates a developer's pip settings for uv: mirrors, folders of wheels, certificates, proxy.

uv reads neither pip.conf nor PIP_ variables, so it would ignore a mirror that pip uses.

    https://pip.pypa.io/en/stable/topics/configuration/
    https://docs.astral.sh/uv/reference/environment/
"""

from __future__ import annotations

import configparser
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

# pip's setting, and uv's variable with the same meaning.
SAME = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
LISTS = {"UV_FIND_LINKS": ","}  # the others are separated by spaces, as pip's are


def uv_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with pip's settings as uv's variables. A variable of uv that is set already stays."""
    settings = dict(environment)
    for name, value in pip_settings(environment).items():
        variable = SAME.get(name)
        if variable and variable not in environment:
            words = value.split()
            settings[variable] = LISTS.get(variable, " ").join(words)
    # uv takes a package from the first index that has it, pip from all of them.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return settings


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings by pip's long option. Variables win over files, later files over earlier ones."""
    found: dict[str, str] = {}
    for path in config_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue  # pip itself reports the error
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    for name, value in environment.items():
        if name.startswith("PIP_") and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def config_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """The files that pip reads, in its order."""
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    for folder in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if named:
        yield Path(named)


def main() -> int:
    """Print the differences as lines for a shell: export NAME='value'."""
    for name, value in uv_settings(os.environ).items():
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
