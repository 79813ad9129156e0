// @ts-check
// What a fragment mounts where our routes are cut off: it hands the fragment's data on to the page's own module.

/** @param {any} component  what Streamlit hands to a component (v2) */
export default function feed(component) {
  const { batches = [], notice = "" } = component.data?.[0] ?? {};
  const detail = { batches, notice, again: () => component.setTriggerValue("again", true) };
  window.dispatchEvent(new CustomEvent("skipviz-feed", { detail }));
}
