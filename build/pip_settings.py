"""What a developer has set for pip, told to uv: mirrors, folders of wheels, certificates, proxy.

uv reads no pip.conf and no PIP_ variables, so a mirror that works for pip would be passed over.
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

# pip's setting, and the variable by which uv knows the same.
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
LISTS = {"UV_FIND_LINKS": ","}  # others are separated by blanks, as pip's are


def uv_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with pip's settings in uv's words; what is set for uv already stays."""
    settings = dict(environment)
    for name, value in pip_settings(environment).items():
        variable = SAME.get(name)
        if variable and variable not in environment:
            words = value.split()
            settings[variable] = LISTS.get(variable, " ").join(words)
    # uv takes a package from the first index that knows it, pip from all of them.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return settings


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings by pip's long option; variables win over files, later files over earlier ones."""
    found: dict[str, str] = {}
    for path in config_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue  # pip itself names what is wrong with it
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    for name, value in environment.items():
        if name.startswith("PIP_") and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def config_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where pip looks, in its order."""
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
    """Print what differs as lines for a shell: export NAME='value'."""
    for name, value in uv_settings(os.environ).items():
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
