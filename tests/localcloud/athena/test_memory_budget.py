"""The shares of running queries keep to one budget."""

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from localcloud.athena.memory_budget import MemoryBudget


def test_the_first_query_gets_most_and_the_others_their_least():
    budget = MemoryBudget(4, 120, 300)
    with ExitStack() as stack:
        assert [stack.enter_context(budget.share()) for _ in range(4)] == [300, 120, 120, 120]
    with budget.share() as alone:
        assert alone == 300


@given(st.lists(st.integers(0, 3), max_size=40))
def test_shares_never_exceed_the_budget_nor_fall_below_the_least(places):
    budget = MemoryBudget(4, 120, 300)
    running = {}
    for place in places:
        if place in running:
            stack, _ = running.pop(place)
            stack.close()
        else:
            stack = ExitStack()
            running[place] = (stack, stack.enter_context(budget.share()))
        shares = [share for _, share in running.values()]
        assert sum(shares) <= budget.total_mb == 660
        assert all(120 <= share <= 300 for share in shares)
