"""The Debian packages of the build under test."""

import glob
import os

import rig
from servers import call


def make(directory):
    """By cpack, in a directory; their paths by name."""
    config = os.path.join(rig.BIN, "..", "CPackConfig.cmake")
    call("cpack", "--config", config, "-B", directory)
    return {os.path.basename(path).partition("_")[0]: path
            for path in glob.glob(f"{directory}/*.deb")}
