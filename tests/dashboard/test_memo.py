from dashboard.memo import Memo


def test_value_is_made_once_and_the_one_not_asked_for_longest_goes_first() -> None:
    memo, made = Memo(2), []

    def get(key: str) -> str:
        return str(memo.get(key, lambda: made.append(key) or key.upper()))

    assert [get(key) for key in "abaca"] == list("ABACA")
    assert made == ["a", "b", "c"]
    get("b")
    assert made == ["a", "b", "c", "b"]
