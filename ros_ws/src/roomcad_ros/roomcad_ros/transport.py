"""Makes Fast DDS carry whole images between processes of one machine."""

import os
from pathlib import Path

PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"
# Who sets one of these has made up their mind.
OWN_CHOICE = (PROFILE, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")


def carry_images(environment=os.environ):
    """Choose fastdds.xml, unless the environment names another profile or DDS vendor.

    Call it before rclpy.init. It concerns what this process sends: a camera driver of another
    package needs the same profile.
    """
    fast_dds = environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp").startswith("rmw_fastrtps")
    if fast_dds and not any(name in environment for name in OWN_CHOICE):
        environment[PROFILE] = str(Path(__file__).with_name("fastdds.xml"))
