from ..system import books
def test_a():
    assert books.read(books.small()).problems == ()
