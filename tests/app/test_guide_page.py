"""The guide's script: it draws every page, and a search leaves what has all the words."""

from __future__ import annotations

from skipviz.web.content import guide


def _titles(app) -> list[str]:
    return [title.value for title in (*app.test.header, *app.test.subheader)]


def test_the_guide_is_drawn_and_a_search_leaves_the_sections_that_have_the_words(opened):
    app = opened("guide")
    assert {section.title for section in guide.sections()} < set(_titles(app))
    field = app.test.text_input[0]
    field.set_value("public moons")
    app.run()
    assert [caption.value for caption in app.test.caption] == ["No section has all these words. Try fewer, or others."]
    assert _titles(app) == ["Guide"]
    app.test.text_input[0].set_value("SKIPVIZ_keep_days")
    app.run()
    assert [caption.value for caption in app.test.caption] == [f"1 of {len(guide.sections())} sections have all these words."]
    assert _titles(app) == ["Guide", "Settings"]
    assert any("`SKIPVIZ_KEEP_DAYS`" in text.value for text in app.test.markdown)
