// @ts-check
// The links that the lab can give: its experiment, its run, a classroom that follows it.

/**
 * @param {any} data  what Python knows
 * @param {any} store  the run's
 * @returns {import("../sharing/share_panel.js").LinkKind[]}
 */
export function labLinks(data, store) {
  const address = (query) => new URL(query, location.href.split("?")[0]).href;
  const kinds = [];
  const known = { id: "experiment", label: "Link to this experiment", address: address(`?x=${data.link}`) };
  // What was done to a run is no part of the link to what it began with, and a link holds no steps.
  if (data.link && data.began) {
    kinds.push({ ...known, title: "As it is now", note: "With what was switched or set during the run, from step 0 on: when it was done is in This run." });
    kinds.push({ id: "began", title: "As it started", label: "Link to this experiment as it started", note: "What was switched or set during the run is not in it.", address: address(`?x=${data.began}`) });
  } else if (data.link) kinds.push({ ...known, title: "This experiment", note: "Opened anywhere, it is the same network, task and seed." });
  else if (!data.network.watched) kinds.push({ id: "experiment", title: "This experiment", note: "It is too irregular for a link: share it as a file.", address: "" });
  if (store.id && store.id !== "?") kinds.push({ id: "run", title: "This run", label: "Link to this run", note: `Others watch it, live or as it was recorded${data.network.watched ? "" : ", and can make it theirs"}.`, address: address(`?${data.link ? `x=${data.link}&` : ""}run=${store.id}`) });
  if (data.watch?.follow) kinds.push({ id: "follow", title: "This lesson", label: "Link to this lesson", note: "Whoever opens it follows the same lesson.", address: address(`?follow=${data.watch.follow}`) });
  else if (!data.watch) kinds.push({ id: "classroom", title: "Classroom", label: "Link to this classroom", note: data.lead ? "Whoever opens it follows what you do here, as it happens, into each new run." : "Everybody with its link follows what you do here, as it happens. Nobody else can steer.", address: data.lead ? address(`?follow=${data.lead}`) : null, classroom: true });
  return kinds;
}
