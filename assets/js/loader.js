// @ts-check
// What Streamlit mounts: it imports the page's module from our own route, and asks for it inline where that fails.

/** @type {WeakMap<HTMLElement, {component: any, cleanup: (() => void) | undefined, gone: boolean}>} */
const mounts = new WeakMap();
const base = location.pathname.replace(/[^/]*$/, "");
const loading = import(new URL(`${base}skipviz/page.js?v=VERSION`, location.href).href);
/** @type {any} */
let loaded = null;

/** @param {any} component  what Streamlit hands to a component (v2) */
export default function load(component) {
  const { parentElement, setStateValue } = component;
  let mount = mounts.get(parentElement);
  if (mount) {
    mount.component = component;
    if (loaded) mount.cleanup = loaded.default(component);
  } else {
    mount = { component, cleanup: undefined, gone: false };
    mounts.set(parentElement, mount);
    const made = mount;
    loading.then(
      (module) => {
        loaded = module;
        if (!made.gone) made.cleanup = module.default(made.component);
      },
      () => setStateValue("inline", true),
    );
  }
  const own = mount;
  return () => {
    own.gone = true;
    own.cleanup?.();
    mounts.delete(parentElement);
  };
}
