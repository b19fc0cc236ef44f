"""``python -m vst`` is ``vst``."""

from vst.commands import main

if __name__ == "__main__":
    main()
