// @ts-check
/* global KINDS */
// The activations' names as they are written.

/** @type {[string, string][]} each one's name in an experiment, and in words */
export const ACTIVATIONS = [["none", "no activation"], ...KINDS.activation];

/** @param {string} name @returns {string} */
export const activationWords = (name) => new Map(ACTIVATIONS).get(name) ?? name;
