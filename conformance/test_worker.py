"""The Python worker itself, with little lanes written here: whatever a lane does, the protocol holds."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from arguments import (
    NONE,
    Argument,
    boolean,
    buffer,
    data,
    fixed,
    floating,
    function,
    integer,
    listed,
    matrix,
    mutable_data,
    text,
)
from reference import integers
from worker_client import WorkerGone, WorkerHung, WorkerProcess

Start = Callable[..., WorkerProcess]


@pytest.fixture
def start(python_worker: dict[str, Any], tmp_path: Path) -> Iterator[Start]:
    """Starts a worker with a lane of this source."""
    started: list[WorkerProcess] = []

    def start_worker(source: str, **load: object) -> WorkerProcess:
        (tmp_path / "tiny_lane.py").write_text(textwrap.dedent(source))
        worker = WorkerProcess(python_worker["command"], python_worker["environment"])
        started.append(worker)
        lane = {"lane": "tiny/lane", "paths": [str(tmp_path)], "modules": {"call": "tiny_lane"}, **load}
        reply = worker.ask({"load": lane})
        assert "loaded" in reply, reply
        return worker

    yield start_worker
    for worker in started:
        worker.close()


def call(worker: WorkerProcess, operation: str, *arguments: Argument) -> Any:
    reply = worker.ask({"call": {"workload": "call", "operation": operation, "arguments": arguments}})
    return reply["called"]["answer"]


def prepare(worker: WorkerProcess, operation: str, *pool: list[Argument], **more: object) -> None:
    cell = {"cell": 7, "workload": "call", "operation": operation, "pool": pool, "threads": 1, "raises": False, **more}
    assert worker.ask({"prepare": cell}) == {"prepared": {}}


def sample(worker: WorkerProcess, loops: int, first: int = 0, **more: object) -> Any:
    reply = worker.ask({"sample": {"cell": 7, "loops": loops, "first": first, "empty": False, **more}})
    return reply.get("sampled", reply)


# The process -----------------------------------------------------------------------------------------------------------


def test_a_lane_that_prints(start: Start) -> None:
    worker = start("""
        import os, sys
        print("while it is imported")
        def chatter():
            print("x" * 5_000_000)
            print("y" * 5_000_000, file=sys.stderr)
            os.write(1, b"z" * 100_000)
            return 1
    """)
    assert call(worker, "chatter") == {"integer": "1"}
    prepare(worker, "chatter", [])
    assert sample(worker, 2)["answers"] == [{"item": 0, "answer": {"integer": "1"}}]


def test_a_lane_that_closes_its_standard_streams(start: Start) -> None:
    worker = start("""
        import os
        def close():
            for descriptor in (0, 1, 2):
                os.close(descriptor)
    """)
    assert call(worker, "close") == {"none": None}
    assert "finished" in worker.ask("finish")


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_a_lane_that_exits(start: Start, threads: int) -> None:
    """From a thread, too; the status tells."""
    worker = start("""
        import os
        def leave():
            os._exit(3)
    """)
    with pytest.raises(WorkerGone, match="status 3"):
        if threads == 0:
            call(worker, "leave")
        else:
            prepare(worker, "leave", [], threads=threads)
            sample(worker, 1)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("sys.exit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise PanicException('a panic')", "PanicException"),
        ("raise Unprintable", "Unprintable"),
    ],
)
def test_what_is_no_exception_is_a_failure_and_the_worker_goes_on(start: Start, raised: str, kind: str) -> None:
    worker = start(f"""
        import sys
        class PanicException(BaseException): pass
        class Meta(type):
            @property
            def __name__(cls): raise SystemExit
            @property
            def __mro__(cls): raise SystemExit
        class Unprintable(BaseException, metaclass=Meta):
            def __str__(self): raise SystemExit
            __repr__ = __str__
        def leave():
            {raised}
        def one(): return 1
    """)
    prepare(worker, "leave", [])
    answer = worker.ask({"verify": {"cell": 7}})["verified"]["answers"][0]["raised"]
    assert answer["type"] == kind
    assert "BaseException" in answer["bases"]
    assert "in leave" in answer["traceback"]
    assert call(worker, "leave")["raised"]["type"] == kind
    one_call = {"cell": 7, "loops": 1, "first": 0}
    watch = {"cell": 7, "first": 0, "duration_ns": 1_000_000_000, "switch_interval_ns": 5_000_000}
    for threads, request in (1, {"sample": one_call}), (2, {"sample": one_call}), (1, {"weigh": one_call}), (1, {"watch": watch}):
        prepare(worker, "leave", [], threads=threads)
        failed = worker.ask(request)["failed"]
        assert failed["type"] == kind, request
        assert "in leave" in failed["traceback"]
    assert call(worker, "one") == {"integer": "1"}
    assert "finished" in worker.ask("finish")


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt()", "MemoryError()"])
def test_what_is_raised_at_import_is_a_failure_and_the_worker_goes_on(start: Start, tmp_path: Path, raised: str) -> None:
    worker = start("def one(): return 1")
    (tmp_path / "broken_lane.py").write_text(f"raise {raised}\n")
    failed = worker.ask({"load": {"lane": "b/b", "paths": [str(tmp_path)], "modules": {"call": "broken_lane"}}})["failed"]
    assert failed["type"] == raised.split("(")[0]
    assert call(worker, "one") == {"integer": "1"}


def test_long_texts_are_cut(start: Start) -> None:
    worker = start("""
        class Long:
            def __repr__(self): return "r" * 9_000_000
        def shout(): raise type("N" * 100_000, (ValueError,), {})("head" + "m" * 9_000_000 + "tail")
        def show(): return Long()
    """)
    raised = call(worker, "shout")["raised"]
    assert len(raised["type"]) < 300
    assert len(raised["message"]) < 3000
    assert raised["message"].startswith("headmmm")
    assert "characters left out" in raised["message"]
    assert raised["message"].endswith("mmmtail")
    prepare(worker, "shout", [])
    assert len(json.dumps(worker.ask({"verify": {"cell": 7}}))) < 30_000
    assert len(call(worker, "show")["other"]) < 3000


def test_a_child_of_a_forked_child_closes_nothing(start: Start) -> None:
    """The numbers of the channel's descriptors may stand for something else there."""
    worker = start("""
        import os
        def fork(again=True):
            pid = os.fork()
            if pid:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            try:
                if not again:
                    os.fstat(3), os.fstat(4)
                    os._exit(0)
                os.dup2(2, 3), os.dup2(2, 4)
                os._exit(fork(again=False))
            except BaseException:
                os._exit(9)
    """)
    assert call(worker, "fork") == {"integer": "0"}


def test_a_lane_that_crashes(start: Start) -> None:
    worker = start("""
        import os, signal
        def crash(): os.kill(os.getpid(), signal.SIGSEGV)
    """)
    with pytest.raises(WorkerGone, match="status -11"):
        call(worker, "crash")


def test_a_lane_that_hangs(start: Start) -> None:
    worker = start("""
        import subprocess, sys, time
        def hang():
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            time.sleep(600)
    """)
    with pytest.raises(WorkerHung):
        worker.ask({"call": {"workload": "call", "operation": "hang", "arguments": []}}, patience=1)
    assert worker.all_gone()


def test_end_of_requests_ends_it_whatever_the_lane_left_running(start: Start) -> None:
    worker = start("""
        import atexit, threading, time
        def linger():
            atexit.register(time.sleep, 600)
            threading.Thread(target=time.sleep, args=(600,)).start()
    """)
    call(worker, "linger")
    worker.end_of_requests()
    assert worker.wait(10) == 0


def test_finish_runs_exit_handlers(start: Start, tmp_path: Path) -> None:
    """Process pools end in such handlers."""
    worker = start("""
        import atexit
        def register(path):
            atexit.register(lambda: open(path, "w").write("ended"))
    """)
    call(worker, "register", text(str(tmp_path / "trace")))
    peak = worker.ask("finish")["finished"]["peak_resident_bytes"]
    assert worker.wait(10) == 0
    assert (tmp_path / "trace").read_text() == "ended"
    assert (peak is not None and peak > 1 << 20) if sys.platform == "linux" else peak is None


def test_peak_resident_bytes_is_a_peak(start: Start) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells")
    worker = start("""
        def touch():
            return len(bytearray(b"x") * (200 << 20))
    """)
    call(worker, "touch")
    assert worker.ask("finish")["finished"]["peak_resident_bytes"] > 200 << 20


def test_children_do_not_inherit_the_channel(start: Start) -> None:
    """A child that outlives the worker would otherwise keep the driver waiting."""
    worker = start("""
        import os, subprocess, sys, time
        from bindbench_worker import channel
        def variables():
            return [int(name in os.environ) for name in (channel.REQUESTS, channel.REPLIES)]
        def child():
            program = "import os; print(sum(os.path.exists(f'/dev/fd/{n}') for n in range(3, 40)))"
            return int(subprocess.check_output([sys.executable, "-c", program], close_fds=False))
        def fork():
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            return pid
    """)
    assert call(worker, "variables")["integers"]["values"] == [0, 0]
    assert call(worker, "child") == {"integer": "0"}
    call(worker, "fork")
    worker.process.kill()
    with pytest.raises(WorkerGone):
        worker.ask("finish", patience=10)


# Requests that can't be done -------------------------------------------------------------------------------------------


def test_it_goes_on_after_a_request_it_cannot_do(start: Start) -> None:
    worker = start("def one(): return 1")
    for line, kind in [
        (b"this is no JSON", "JSONDecodeError"),
        (b"[]", "TypeError"),
        (b"{}", "StopIteration"),
        (b'"dance"', "ValueError"),
        (b'{"dance": {}}', "ValueError"),
        (b'{"verify": {"cell": 99}}', "LookupError"),
        (b'{"sample": {"cell": 99, "loops": 1, "first": 0}}', "LookupError"),
        (b'{"drop": {"cell": 99}}', "LookupError"),
        (b'{"verify": {"cell": 1, "unknown": 2}}', "TypeError"),
        (b'{"call": {"workload": "kmp", "operation": "find_all", "arguments": []}}', "LookupError"),
        (b'{"call": {"workload": "call", "operation": "two", "arguments": []}}', "AttributeError"),
        (b'{"call": {"workload": "call", "operation": "one", "arguments": [{"strange": 1}]}}', "KeyError"),
        (b'{"call": {"workload": "call", "operation": "one", "arguments": [{"integer": "x"}]}}', "ValueError"),
        (b'{"prepare": {"cell": 1, "workload": "call", "operation": "one", "pool": [], "threads": 1}}', "ValueError"),
        (b'{"prepare": {"cell": 1, "workload": "call", "operation": "one", "pool": [[]], "threads": 0}}', "ValueError"),
    ]:
        failed = worker.ask_line(line)["failed"]
        assert failed["type"] == kind, (line, failed)
        assert "Traceback" in failed["traceback"]
    assert call(worker, "one") == {"integer": "1"}


def test_a_lane_that_cannot_be_imported(start: Start, tmp_path: Path) -> None:
    worker = start("")
    (tmp_path / "broken_lane.py").write_text("import a_module_that_is_not_there\n")
    failed = worker.ask({"load": {"lane": "b/b", "paths": [str(tmp_path)], "modules": {"call": "broken_lane"}}})["failed"]
    assert failed["type"] == "ModuleNotFoundError"
    assert "ImportError" in failed["bases"]
    assert "broken_lane.py" in failed["traceback"]


def test_a_dropped_cell_is_gone(start: Start) -> None:
    worker = start("def one(): return 1")
    prepare(worker, "one", [])
    assert worker.ask({"drop": {"cell": 7}}) == {"dropped": {}}
    assert worker.ask({"verify": {"cell": 7}})["failed"]["type"] == "LookupError"


def test_many_requests_in_one_write(start: Start) -> None:
    """And one request in many writes: lines are what counts."""
    worker = start("def length(data): return len(data)")
    big = json.dumps({"call": {"workload": "call", "operation": "length", "arguments": [data(bytes(2_000_000))]}})
    assert worker.ask_line(big.encode())["called"]["answer"] == {"integer": "2000000"}
    small = json.dumps({"call": {"workload": "call", "operation": "length", "arguments": [data(b"abc")]}}).encode()
    first = worker.ask_line(small + b"\n" + small)
    assert first["called"]["answer"] == {"integer": "3"}
    assert worker.ask_line(b'"finish"') == first
    assert worker.wait() == 0


# Arguments and answers -------------------------------------------------------------------------------------------------


def test_arguments(start: Start) -> None:
    worker = start("""
        def described(x):
            if isinstance(x, memoryview):
                return (x.format, x.readonly, x.contiguous, x.tolist())
            return (type(x).__name__, x)
        def called(f): return (f(1), f(2))
    """)
    eight = struct.pack("<2d", 1.0, 2.0) if sys.byteorder == "little" else struct.pack(">2d", 1.0, 2.0)
    for argument, described in [
        (NONE, "('NoneType', None)"),
        (boolean(True), "('bool', True)"),
        (integer(-(2**70)), f"('int', {-(2**70)})"),
        (floating(float("nan")), "('float', nan)"),
        (floating(float("-inf")), "('float', -inf)"),
        (floating(0.1), "('float', 0.1)"),
        (text("naïve"), "('str', 'naïve')"),
        (data(b"\0\xff"), "('bytes', b'\\x00\\xff')"),
        (mutable_data(b"\0"), "('bytearray', bytearray(b'\\x00'))"),
        (listed(integer(1), listed(NONE)), "('list', [1, [None]])"),
        (fixed(integer(1), listed(NONE)), "('tuple', (1, [None]))"),
        (buffer(b"ab"), "('B', True, True, [97, 98])"),
        (buffer(b"ab", readonly=False), "('B', False, True, [97, 98])"),
        (buffer(b"abcd", step=2), "('B', True, False, [97, 99])"),
        (buffer(eight, "d"), "('d', True, True, [1.0, 2.0])"),
        (buffer(b"", "d"), "('d', True, True, [])"),
        (matrix(b"abcd", "B", rows=2), "('B', True, True, [[97, 98], [99, 100]])"),
    ]:
        assert call(worker, "described", argument) == {"other": f"tuple: {described}"}
    assert call(worker, "called", function("identity")) == {"other": "tuple: (1, 2)"}
    assert call(worker, "called", function("return_text")) == {"other": "tuple: ('1', '2')"}
    raised = call(worker, "called", integer(1))["raised"]
    assert raised["type"] == "TypeError"


def test_files(start: Start, tmp_path: Path) -> None:
    worker = start("""
        def described(x): return (type(x).__name__, list(x))
        def mapped(x): return (type(x).__name__, x[:], x.offset, x.count, len(x))
        def path(x): return x.path
        def write(x): x[0] = 1
    """)
    path = tmp_path / "items"

    def argument(shape: str, count: int, offset: int = 65_536) -> Argument:
        return {"file": {"path": str(path), "offset": offset, "count": count, "as": shape}}

    path.write_bytes(bytes(65_536) + b"abcdef")
    assert call(worker, "described", argument("bytes", 3)) == {"other": "tuple: ('bytes', [97, 98, 99])"}
    assert call(worker, "mapped", argument("mapped_bytes", 3)) == {"other": "tuple: ('MappedFile', b'abc', 65536, 3, 3)"}
    assert call(worker, "path", argument("mapped_bytes", 3))["other"].startswith("str: ")
    assert call(worker, "write", argument("mapped_bytes", 3))["raised"]["type"] == "TypeError"
    assert call(worker, "mapped", argument("mapped_bytes", 0))["other"].endswith("65536, 0, 1)")
    path.write_bytes(bytes(65_536) + "aï\0日😀é".encode())
    assert call(worker, "described", argument("text", 11)) == {"other": f"tuple: {('str', [*'aï', chr(0), *'日😀'])}"}
    assert call(worker, "described", argument("text", 0)) == {"other": "tuple: ('str', [])"}
    assert call(worker, "described", argument("text", 65_536, offset=0))["other"].startswith(r"tuple: ('str', ['\x00', ")
    request = {"call": {"workload": "call", "operation": "described", "arguments": [argument("text", 12)]}}
    assert worker.ask(request)["failed"]["type"] == "UnicodeDecodeError"  # it ends within a character
    path.write_bytes(bytes(65_536) + struct.pack("<3q", 1, -1, 2**62))
    assert call(worker, "described", argument("integers", 3)) == {"other": f"tuple: ('list', [1, -1, {2**62}])"}
    path.write_bytes(bytes(65_536) + struct.pack("<3d", 1, 2.5, -3))
    assert call(worker, "described", argument("floats", 3)) == {"other": "tuple: ('list', [1.0, 2.5, -3.0])"}
    assert call(worker, "described", argument("float64", 2)) == {"other": "tuple: ('array', [1.0, 2.5])"}
    assert call(worker, "mapped", argument("mapped_float64", 3))["other"].endswith("65536, 3, 24)")
    for shape in ("bytes", "text", "integers", "float64"):
        request = {"call": {"workload": "call", "operation": "described", "arguments": [argument(shape, 100)]}}
        assert worker.ask(request)["failed"]["type"] == "EOFError"


def test_answers(start: Start) -> None:
    worker = start("""
        import math
        class Odd(int): pass
        class Items(list): pass
        class Mute:
            def __repr__(self): raise ValueError
        RETURNED = [None, 0, -2**80, 0.1, math.nan, -math.inf, [], [0, 2**64 - 1], [-1], [2**64], [1, True], [1.0], True, Odd(3),
                    (1, 2), "text", "\\ud800", list(range(1000)), ["x"] * 10000, Items([1]), Mute()]
        def returned(i): return RETURNED[i]
    """)
    mute = {"other": "Mute: <Mute instance at 0x"}
    expected: list[Any] = [
        {"none": None},
        {"integer": "0"},
        {"integer": str(-(2**80))},
        {"float": "0.1"},
        {"float": "nan"},
        {"float": "-inf"},
        integers([]),
        integers([0, 2**64 - 1]),
        {"other": "list: [-1]"},
        {"other": f"list: [{2**64}]"},
        {"other": "list: [1, True]"},
        {"other": "list: [1.0]"},
        {"other": "bool: True"},
        {"other": "Odd: 3"},
        {"other": "tuple: (1, 2)"},
        {"other": "str: 'text'"},
        {"other": "str: '\\ud800'"},
        integers(list(range(1000))),
        {"other": "list: ['x', 'x', 'x', 'x', 'x', 'x', ...]"},
        {"other": "Items: [1]"},
    ]
    for i, answer in enumerate(expected):
        assert call(worker, "returned", integer(i)) == answer
    assert call(worker, "returned", integer(len(expected)))["other"].startswith(mute["other"])
    prepare(worker, "returned", [integer(7)])
    digest = hashlib.sha256(struct.pack("<2Q", 0, 2**64 - 1)).hexdigest()
    values = {"answer": {"integers": {"count": 2, "sha256": digest}}, "item": 0}
    assert sample(worker, 3)["answers"] == [values]
    verified = worker.ask({"verify": {"cell": 7}})["verified"]
    assert verified["answers"] == [values["answer"]]
    assert verified["first_ns"] > 0
    assert worker.ask({"verify": {"cell": 7, "first": 1}}) == {"verified": {"answers": [], "first_ns": None}}


def test_line_ends_of_a_text_are_left_as_they_are(start: Start, tmp_path: Path) -> None:
    worker = start("def points(text): return [ord(c) for c in text]")
    string = "\ufeffa\r\nb\rc\nd\x1a\x85\u2028e"
    path = tmp_path / "text"
    path.write_bytes(string.encode())
    described = {"file": {"path": str(path), "offset": 0, "count": len(string.encode()), "as": "text"}}
    for given in (described, text(string)):
        assert call(worker, "points", given)["integers"]["values"] == [ord(c) for c in string]


def test_lone_surrogates_arrive(start: Start) -> None:
    worker = start("def points(text): return [ord(c) for c in text]")
    for string in ("\ud800", "a\udfffb", "\ude00\ud83d"):
        assert call(worker, "points", text(string))["integers"]["values"] == [ord(c) for c in string]


def test_buffers_of_uint32(start: Start) -> None:
    """Only what is one-dimensional, contiguous, unsigned, of 4 bytes and in the machine's byte order."""
    worker = start("""
        import ctypes, mmap, struct, sys
        from array import array
        class Odd(ctypes.BigEndianStructure):
            _fields_ = [("a", ctypes.c_uint32)]
        class Late:
            def __buffer__(self, flags): return memoryview(ITEMS)
        class LateArray(array):
            def __buffer__(self, flags): return memoryview(ITEMS)
        ITEMS = array("I", [0, 1, 2**32 - 1, 7])
        RETURNED = [
            ITEMS, memoryview(ITEMS), memoryview(ITEMS.tobytes()).cast("I"), memoryview(ITEMS)[:2], array("I"),
            ITEMS.tobytes(), bytearray(ITEMS.tobytes()), array("i", [1]), array("Q", [1]), array("H", [1]), array("f", [1]),
            memoryview(ITEMS)[::2], memoryview(ITEMS)[::-1], memoryview(ITEMS).cast("B").cast("I", (2, 2)),
            memoryview((ctypes.c_uint32.__ctype_be__ * 2)()), memoryview((Odd * 2)()), mmap.mmap(-1, 4), b"", "text", (1, 2),
            Late(), LateArray("I", [1]) if sys.version_info >= (3, 12) else "text",
        ]
        def returned(i): return RETURNED[i]
    """)
    items = [0, 1, 2**32 - 1, 7]
    expected = [items, items, items, items[:2], []]
    for i, values in enumerate(expected):
        assert call(worker, "returned", integer(i)) == integers(values, kind="uint32")
        prepare(worker, "returned", [integer(i)])
        answer = integers(values, with_values=False, kind="uint32")
        assert worker.ask({"verify": {"cell": 7}})["verified"]["answers"] == [answer]
        assert sample(worker, 2)["answers"] == [{"item": 0, "answer": answer}]
    for i in range(len(expected), 22):
        assert [*call(worker, "returned", integer(i))] == ["other"], i
    assert call(worker, "returned", integer(22))["raised"]["type"] == "IndexError"


def test_a_buffer_that_is_released(start: Start) -> None:
    worker = start("""
        from array import array
        def released():
            view = memoryview(array("I", [1]))
            view.release()
            return view
    """)
    assert [*call(worker, "released")] == ["other"]
    assert "finished" in worker.ask("finish")


def test_exceptions(start: Start) -> None:
    worker = start("""
        class Own(ValueError): pass
        class Mute(Exception):
            def __str__(self): raise RuntimeError
        def own(): raise Own("a \\ud800 surrogate")
        def mute(): raise Mute
    """)
    assert call(worker, "own")["raised"] == {
        "type": "Own",
        "message": "a ? surrogate",
        "bases": ["ValueError", "Exception", "BaseException", "object"],
    }
    assert call(worker, "mute")["raised"]["type"] == "Mute"
    prepare(worker, "own", [])
    failed = sample(worker, 1)["failed"]
    assert failed["type"] == "Own"
    assert "tiny_lane.py" in failed["traceback"]
    assert worker.ask({"verify": {"cell": 7}})["verified"]["answers"][0]["raised"]["type"] == "Own"


# Timing ----------------------------------------------------------------------------------------------------------------

RECORDING = """
    import threading, time
    SEEN = []
    def zero(): SEEN.append(0); return len(SEEN)
    def one(a): SEEN.append(a); return a * 10
    def two(a, b): SEEN.append(a * 100 + b); return b
    def three(a, b, c): SEEN.append(a * 100 + b * 10 + c); return c
    def seen():
        seen = SEEN[:]
        SEEN.clear()
        return seen
"""


def test_a_sample_takes_the_time_of_its_calls(start: Start) -> None:
    worker = start("""
        import time
        def slow(): time.sleep(0.002)
    """)
    prepare(worker, "slow", [])
    sampled = sample(worker, 10, empty=True)
    assert 20e6 <= sampled["elapsed_ns"] < 2e9
    assert 0 < sampled["empty_ns"] < sampled["elapsed_ns"]
    assert "empty_ns" not in sample(worker, 1)
    for loops in (0, -1):
        assert sample(worker, loops)["failed"]["type"] == "ValueError"


def test_the_pool_is_walked_in_order_around_and_around(start: Start) -> None:
    worker = start(RECORDING)
    prepare(worker, "one", *([integer(i)] for i in range(5)))
    assert sample(worker, 12, first=3)["answers"] == [{"item": 4, "answer": {"integer": "40"}}]
    assert call(worker, "seen")["integers"]["values"] == [3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert sample(worker, 1, first=13)["answers"] == [{"item": 3, "answer": {"integer": "30"}}]
    call(worker, "seen")
    assert len(worker.ask({"verify": {"cell": 7}})["verified"]["answers"]) == 5
    assert call(worker, "seen")["integers"]["values"] == [0, 1, 2, 3, 4]


def test_no_arguments_and_several(start: Start) -> None:
    worker = start(RECORDING)
    prepare(worker, "zero", [])
    assert sample(worker, 4, first=2, empty=True)["answers"] == [{"item": 0, "answer": {"integer": "4"}}]
    assert call(worker, "seen")["integers"]["values"] == [0, 0, 0, 0]
    prepare(worker, "two", [integer(1), integer(2)], [integer(3), integer(4)])
    assert sample(worker, 3, empty=True)["answers"] == [{"item": 0, "answer": {"integer": "2"}}]
    assert call(worker, "seen")["integers"]["values"] == [102, 304, 102]
    prepare(worker, "three", [integer(1), integer(2), integer(3)])
    assert sample(worker, 1)["answers"] == [{"item": 0, "answer": {"integer": "3"}}]
    pool = [[integer(1)], [integer(1), integer(2)]]
    cell = {"cell": 8, "workload": "call", "operation": "one", "pool": pool, "threads": 1}
    assert worker.ask({"prepare": cell})["failed"]["type"] == "ValueError"


def test_threads_call_at_the_same_time_on_inputs_of_their_own(start: Start) -> None:
    worker = start("""
        import threading
        barrier = threading.Barrier(3)
        def meet(i):
            barrier.wait(20)
            return i
    """)
    prepare(worker, "meet", *([integer(i)] for i in range(5)), threads=3)
    sampled = sample(worker, 7, first=4, empty=True)
    assert sampled["answers"] == [{"item": item, "answer": {"integer": str(item)}} for item in (0, 1, 2)]
    assert sampled["elapsed_ns"] > 0
    assert sampled["empty_ns"] > 0


def test_an_exception_in_one_of_several_threads(start: Start) -> None:
    worker = start("""
        def odd(i):
            if i == 1: raise ValueError("one")
            return i
    """)
    prepare(worker, "odd", *([integer(i)] for i in range(3)), threads=3)
    failed = sample(worker, 1)["failed"]
    assert (failed["type"], failed["message"]) == ("ValueError", "one")


def test_an_operation_that_is_expected_to_raise(start: Start) -> None:
    worker = start("""
        CALLS = 0
        def fail():
            global CALLS
            CALLS += 1
            raise RuntimeError("no")
        def calls(): return CALLS
        def other(): raise KeyError
    """)
    prepare(worker, "fail", [], raises=True)
    sampled = sample(worker, 10, empty=True)
    assert sampled["answers"][0]["answer"]["raised"]["type"] == "RuntimeError"
    assert call(worker, "calls") == {"integer": "11"}
    prepare(worker, "other", [], raises=True)
    assert sample(worker, 1)["failed"]["type"] == "KeyError"


def test_no_garbage_collection_in_the_timed_span(start: Start) -> None:
    worker = start("""
        import gc
        def enabled(): return int(gc.isenabled())
    """)
    prepare(worker, "enabled", [])
    assert sample(worker, 1)["answers"][0]["answer"] == {"integer": "0"}
    assert call(worker, "enabled") == {"integer": "1"}


def test_cells_share_no_code_object(start: Start) -> None:
    """CPython specialises a call where it is made: two operations called from one place would spoil it for each other."""
    worker = start("""
        import sys
        KEPT = []
        def caller():
            KEPT.append(sys._getframe(1).f_code)
            return len(set(map(id, KEPT)))
    """)
    for cells in (1, 2, 3):
        prepare(worker, "caller", [])
        for _ in range(2):
            assert sample(worker, 3)["answers"][0]["answer"] == {"integer": str(cells)}


def test_cpus(start: Start) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system pins no process")
    one, *more = sorted(os.sched_getaffinity(0))
    source = """
        import os, threading
        ready = threading.Event()
        go = threading.Event()
        found = []
        def look():
            go.wait()
            found.extend(sorted(os.sched_getaffinity(0)))
        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        def cpus(): return sorted(os.sched_getaffinity(0))
        def cpus_of_an_older_thread():
            go.set()
            thread.join()
            return found
    """
    worker = start(source, cpus=[one])
    assert call(worker, "cpus") == integers([one])
    prepare(worker, "cpus", [])
    wider = [one, *more[:1]]
    sample(worker, 1, cpus=wider)
    assert call(worker, "cpus") == integers(wider)
    sample(worker, 1)
    assert call(worker, "cpus") == integers(wider)
    assert call(worker, "cpus_of_an_older_thread") == integers(wider)


def test_a_call_is_watched_by_a_heart(start: Start) -> None:
    worker = start("import time\ndef noop():\n    time.sleep(0.01)\n")
    worker.ask({"prepare": {"cell": 1, "workload": "call", "operation": "noop", "pool": [[]], "threads": 1}})
    watch = {"cell": 1, "first": 0, "duration_ns": 100_000_000, "switch_interval_ns": 500_000}
    watched = worker.ask({"watch": watch})["watched"]
    assert watched["idle"] and watched["beats"] and watched["calls"]
    for span in watched["calls"]:
        assert span["end_ns"] - span["start_ns"] >= 10_000_000
    for earlier, later in zip(watched["beats"], watched["beats"][1:]):
        assert earlier["end_ns"] <= later["start_ns"] < later["end_ns"]
    # The interpreter is left as it was: the next one is about another question.
    source = "import sys\ndef give_list(n):\n    return [int(sys.getswitchinterval() * 1e6)]\n"
    other = start(source)
    usual = call(other, "give_list", integer(1))
    other.ask({"prepare": {"cell": 1, "workload": "call", "operation": "give_list", "pool": [[integer(1)]], "threads": 1}})
    assert "watched" in other.ask({"watch": {**watch, "duration_ns": 1}})
    assert call(other, "give_list", integer(1)) == usual


def test_a_sampler_that_is_not_there_is_refused_and_nothing_else(start: Start, tmp_path: Path) -> None:
    worker = start("def noop():\n    pass\n")
    record = {"library": str(tmp_path / "none.so"), "hertz": 999, "file": str(tmp_path / "stacks")}
    assert worker.ask({"record": record})["failed"]["type"] == "OSError"
    prepare(worker, "noop", [])
    assert sample(worker, 1)["answers"]


def test_calls_are_weighed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the driver does: memory that was free before, here that of the request, goes back to the system and is not used again.
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    source = """
        kept = []
        def length(data):
            kept.append(object())
            return len(bytearray(data) * 2)
        def fail():
            raise RuntimeError
    """
    worker = start(source)
    if not os.path.exists("/proc/self/smaps_rollup"):
        pytest.skip("this system does not tell")  # only Linux has it; elsewhere the worker answers null, and the pass says so
    size = 4 << 20
    prepare = {"cell": 1, "workload": "call", "operation": "length", "pool": [[data(bytes(size))]], "threads": 1}
    worker.ask({"prepare": prepare})
    weighed = worker.ask({"weigh": {"cell": 1, "first": 0, "loops": 1}})["weighed"]
    if weighed["peak_bytes"] is not None:
        rise = weighed["peak_bytes"] - weighed["before"]["resident_bytes"]
        assert 1.5 * size < rise < 5 * size
    blocks = [worker.ask({"weigh": {"cell": 1, "first": 0, "loops": 1000}})["weighed"]["after"]["blocks"] for _ in range(3)]
    if blocks[0] is not None:
        assert all(950 < later - earlier < 1050 for earlier, later in zip(blocks, blocks[1:])), blocks
    worker.ask({"prepare": {"cell": 2, "workload": "call", "operation": "fail", "pool": [[]], "threads": 1, "raises": True}})
    assert worker.ask({"weigh": {"cell": 2, "first": 0, "loops": 3}})["weighed"]["elapsed_ns"] > 0
    assert "failed" in worker.ask({"weigh": {"cell": 2, "first": 0, "loops": 0}})


def test_references_are_counted(start: Start) -> None:
    """A lane that keeps a reference needs no memory for it. What lives for ever has no count."""
    source = """
        import ctypes, sys
        def counts():
            return int(hasattr(sys, "getrefcount"))  # PyPy has no references to count
        if counts():
            keep = ctypes.pythonapi.Py_IncRef
            keep.argtypes, keep.restype = [ctypes.py_object], None
        else:
            keep = id
        def take_list(xs):
            keep(xs)
            return sum(xs)
        def call_back(f, n):
            keep(f)
            keep(f)
            return sum(map(f, range(n)))
        def length(data):
            return len(data)
    """
    worker = start(source)
    pool = {
        "take_list": [[listed(integer(10**6), integer(10**6 + i))] for i in range(3)],
        "call_back": [[function("identity"), integer(10**6)]],
        "length": [[data(b"text")]],
    }
    kept = {"take_list": ("arguments", 1), "call_back": ("functions", 2), "length": ("arguments", 0)}
    for cell, (operation, (kind, each)) in enumerate(kept.items()):
        worker.ask({"prepare": {"cell": cell, "workload": "call", "operation": operation, "pool": pool[operation], "threads": 1}})
        loops = 1 if operation == "call_back" else 100
        weighed = [worker.ask({"weigh": {"cell": cell, "first": 0, "loops": loops}})["weighed"] for _ in range(3)]
        if call(worker, "counts") == {"integer": "0"}:
            assert [look["references"] for look in weighed] == [None] * 3
            continue
        first, second, third = (look["references"] for look in weighed)
        assert second[kind] - first[kind] == third[kind] - second[kind] == each * loops, (operation, weighed)
        others = {"arguments", "functions"} & first.keys() - {kind}
        assert all(first[other] == third[other] for other in others), (operation, weighed)


def test_inputs_are_probed(start: Start) -> None:
    """They are made for this alone, and the same objects in every pass. A function among them tells what it was called with."""
    worker = start("""
        seen = []
        def take_list(xs):
            seen.append(xs)
            if len(seen) % 3 == 0:
                raise KeyError(len(seen))
            return next(i for i, other in enumerate(seen) if other is xs)
        def call_back(f, n):
            return sum(map(f, range(n)))
    """)
    inputs = [[listed(integer(i))] for i in range(2)]
    probed = worker.ask({"probe": {"workload": "call", "operation": "take_list", "inputs": inputs, "passes": 2}})["probed"]
    first, second = probed["passes"]
    assert first["answers"] == [{"integer": "0"}, {"integer": "1"}]
    assert second["answers"][0]["raised"]["type"] == "KeyError" and second["answers"][1] == {"integer": "1"}
    assert all(len(found[clock]) == 2 and min(found[clock]) >= 0 for found in (first, second) for clock in ("cpu_ns", "wall_ns"))

    links, state = [], 7
    for i in [0, 1, 2] * 2:
        state = (1_103_515_245 * state + i + 12_345) % 2**31
        links.append(state)
    call_back = {"workload": "call", "operation": "call_back", "inputs": [[{"callable": {"chain": 7}}, integer(3)]], "passes": 2}
    for _ in range(2):
        probed = worker.ask({"probe": call_back})["probed"]
        assert [found["answers"] for found in probed["passes"]] == [
            [{"integer": str(sum(links[:3]))}],
            [{"integer": str(sum(links[3:]))}],
        ]
    assert "failed" in worker.ask({"probe": {**call_back, "operation": "missing"}})
