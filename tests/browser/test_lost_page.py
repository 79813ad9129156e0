"""An address that names no page: the first page, with a sentence."""

from playwright.sync_api import expect


def test_an_address_without_a_page_leads_to_the_first_page_which_says_so(page, server):
    page.goto("two%20words?x=1")
    expect(page.locator(".sv-toast:visible")).to_have_text("There is no page at this address. Here is the first one.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(server.address)
