"""The demo that `make run` shows."""

from conftest import MakeNode

from support.processes import wait_until


def test_the_demo_goes_on_in_the_next_process(make_node: MakeNode) -> None:
    """Nobody else publishes: the old process has nothing to stay for."""
    node = make_node(role="standalone --demo")
    wait_until(lambda: node.said("stream.started"), "it is on the air")
    before = node.upgrade()
    wait_until(lambda: len(node.said("stream.started")) == 2, "the next one has it")
    wait_until(lambda: node.said("node stopped"), "the process before has ended")
    assert node.metrics()["wedlive_rtmp_publishers"] == 1
    assert len(node.said("demo stopped")) <= 1
    # Each line says whose it is.
    assert [each["pid"] for each in node.said("stream.started")] == [str(before), str(node.pid)]
