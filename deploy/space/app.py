"""The page of vst as a Hugging Face Space."""

import os
import threading

# The Space's proxy names the visitor's address in a header; limits are per address.
os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")

from vst.web.limits import VisitorLimits
from vst.web.server import PageAddress, serve

LIMITS = VisitorLimits(
    upload=100, kept=400, length=60.0, endpoints=True, frame="https://huggingface.co"
)


def main() -> None:
    """Serve until the Space stops. `SPACE_HOST` is the name under which it is reached."""
    names = tuple(filter(None, [os.environ.get("SPACE_HOST", "")]))
    port = int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    with serve(PageAddress("0.0.0.0", port, names), limits=LIMITS) as (address, _):
        print(f"the page is at {address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
