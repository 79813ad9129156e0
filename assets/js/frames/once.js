// @ts-check
// What Python tells a page once. It stays in the data, with a number, until there is another: data may be replaced before
// they are sent, and are sent again with whatever else has changed.

/** The number last taken, by session and name. @type {Map<string, number>} */
const taken = new Map();

/**
 * Take what is told once, or nothing where this browser's page has taken it.
 * @param {any} data @param {"message" | "select"} name @returns {any}
 */
export function takeOnce(data, name) {
  const [number, value] = data[name] ?? [0, null];
  const key = `${data.session} ${name === "message" ? "" : data.page} ${name}`;
  if (number <= (taken.get(key) ?? 0)) return null;
  taken.set(key, number);
  return value;
}

/** Show the sentence that is told, if there is one to show. @param {any} data @param {{show: (title: string, sentence: string) => void}} toast */
export function showMessage(data, toast) {
  const message = takeOnce(data, "message");
  if (message) toast.show(message[0], message[1]);
  return Boolean(message);
}
