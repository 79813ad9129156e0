"""nginx before two servers, as the guide says it of several."""

import re
from pathlib import Path

from nginxes import Nginx

ROOT = Path(__file__).resolve().parents[2]


def before_servers(folder, ports, change=lambda text: text):
    """Start nginx with the example configuration, which is for one server, and what the guide says for several."""
    folder.mkdir()
    return Nginx(folder, ports[0], lambda text: change(_for_several(text, ports)))


def _for_several(text, ports):
    guide = (ROOT / "assets" / "guide" / "hosting.md").read_text()
    upstreams, locations = re.findall(r"```nginx\n(.*?)```", guide, flags=re.S)
    for place, port in enumerate(ports, start=1):
        upstreams = upstreams.replace(f"10.0.0.{place}:8501", f"127.0.0.1:{port}")
    assert "10.0.0" not in upstreams
    text = re.sub(r"upstream skipviz \{.*?\n\}\n", lambda _: upstreams, text, flags=re.S)
    before, stream, after = text.partition("    location = /skipviz/stream {\n")
    return before + locations + stream + after.replace("http://skipviz;", "http://skipviz_any;", 1)
