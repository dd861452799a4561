"""How the build runs notebooks.

* With ``HARDTOSOFT_STATIC=1``, so that figures emit static HTML; kernels inherit the build's environment.
* With encrypted messages between build and kernel, where both ends can: without, each kernel warns of it.
"""

from __future__ import annotations

import os
from typing import Any

import zmq
from jupyter_client.manager import KernelManager
from sphinx.application import Sphinx


def setup(_app: Sphinx) -> dict[str, Any]:
    os.environ["HARDTOSOFT_STATIC"] = "1"
    if zmq.has("curve"):
        # The build starts its kernels without reading Jupyter's configuration, so the default is what counts.
        KernelManager.transport_encryption.default_value = "auto"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
