"""Neither the processes it leaves behind nor the endless log may stay."""

import subprocess
import sys
import time


def add(a: int, b: int) -> int:
    sleep = [sys.executable, "-c", "import time; time.sleep(1000)"]
    subprocess.Popen(sleep)
    if sys.platform == "linux":  # elsewhere nobody would know whose it is
        subprocess.Popen(sleep, start_new_session=True)
    open("children", "w").close()
    while True:
        print("." * (1 << 20), flush=True)
        time.sleep(0.01)
