"""Contrasts of what is written on a page to what lies behind it, as WCAG 2.2 defines them."""

from __future__ import annotations

from pages import wait_until

CONTRASTS = """() => {
  const parse = (text) => {
    const [red, green, blue, alpha = 1] = (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    return { light: [red, green, blue], alpha };
  };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (light) => light.reduce((sum, value, at) => sum + linear(value / 255) * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const { light, alpha } = parse(getComputedStyle(at).backgroundColor);
      if (alpha > 0.99) return light;
    }
    return [255, 255, 255];
  };
  const written = (node) => [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && /[\\p{L}\\p{N}]/u.test(one.data));
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const seen = (node) => node.getBoundingClientRect().height > 0 && shown(node);
  return [...document.querySelectorAll(".sv-page *, .sv-watch *")]
    .filter((node) => written(node) && seen(node) && !node.closest(":disabled, [aria-disabled=true]"))
    .map((node) => {
      const style = getComputedStyle(node);
      const colour = parse(node instanceof SVGElement ? style.fill : style.color);
      const [high, low] = [colour.light, behind(node)].map(luminance).sort((a, b) => b - a);
      return [Math.round((100 * (high + 0.05)) / (low + 0.05)) / 100, node.textContent];
    });
}"""


def expect_contrast(page, least: float) -> None:
    """Wait until nothing is written with less contrast than `least`, in the light theme and in the dark one."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => document.documentElement.dataset.svTheme === theme", arg=theme)
        found: list = []
        wait_until(page, lambda found=found: _is_readable(page, least, found), lambda found=found: f": {found}")


def _is_readable(page, least: float, faint: list) -> bool:
    """Return whether a page full of words is readable, and leave in `faint` what is not, with its contrast."""
    found = page.evaluate(CONTRASTS)
    faint[:] = [one for one in found if one[0] < least]
    return len(found) > 50 and not faint
