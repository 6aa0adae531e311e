"""Asking all nodes, and making one answer of theirs."""

import pytest

from skubber.insight.insight import ADDRESS, merged_users
from skubber.insight.questions import Answer, DescribeNode, FoundUser
from support.insight import insight
from support.node import Node


async def test_a_node_that_is_alone_answers_for_all() -> None:
    looking = insight(Node())
    await looking.start()
    (answer,), silent = await looking.ask(DescribeNode())
    assert (answer.node, silent) == (looking.node.id, 0)


async def test_before_its_start_and_after_its_stop_a_node_answers_nothing() -> None:
    looking = insight(Node())
    assert await looking.ask(DescribeNode()) == ([], 0)
    await looking.start()
    looking.stop()
    assert await looking.ask(DescribeNode()) == ([], 0)


async def test_a_node_that_cannot_answer_is_silent() -> None:
    async def fail(_: bytes) -> bytes:
        raise RuntimeError("This node cannot answer.")

    node = Node()
    await node.broker.post.listen(ADDRESS, fail)
    assert await insight(node).ask(DescribeNode()) == ([], 1)


def answer(**users: int) -> Answer:
    """A node's answer."""
    return Answer("n", "h", users=[FoundUser(user_id, count) for user_id, count in users.items()])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], {}),
        ([answer(), answer(ada=1)], {"ada": 1}),
        ([answer(ada=1, cy=1), answer(bob=2, cy=3)], {"ada": 1, "bob": 2, "cy": 4}),
        # Each node was asked for three: of the fourth one node may have said nothing.
        ([answer(ada=1, bob=1, cy=1), answer(bob=1, dan=1, eve=1)], {"ada": 1, "bob": 2, "cy": 1}),
    ],
)
def test_users_of_all_nodes_are_one_list_and_each_is_on_it_once(
    answers: list[Answer], expected: dict[str, int]
) -> None:
    found = {user.user_id: user.connection_count for user in merged_users(answers, 3)}
    assert (found, list(found)) == (expected, sorted(expected))
