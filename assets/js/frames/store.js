// @ts-check
// What the browser knows of one run: its header, all frames so far, its events and its state.

/**
 * @typedef {{step: number, variants: Record<string, any>, events?: any[], seconds?: number}} Frame
 */

/**
 * The record of one run, and which of its steps is being looked at.
 */
export function createRunStore() {
  return {
    /** @type {string | null} */ id: null,
    /** @type {any} */ header: null,
    /** @type {Frame[]} */ frames: [],
    /** @type {Frame | null} a frame between two of the schedule, shown until the next one */ passing: null,
    /** @type {Frame | null} the last such frame with a picture, which outlasts the next ones that have none */ pictured: null,
    /** @type {{step: number, event: any}[]} */ events: [],
    /** @type {number[]} */ moved: [],
    /** @type {{step: number, variant: string, kind: "skip" | "layer", ids: string[], before: any, after: any}[]} how parts were switched, in order */ switches: [],
    /** @type {number | null} what was done to it in all, whether it has acted or not */ edits: null,
    state: "ready",
    /** @type {string | null} */ reason: null,
    /** @type {number | null} runs before this one in line */ ahead: null,
    /** @type {number | null} seconds that it will probably wait there */ wait: null,
    /** @type {number | null} cursor: index of the frame looked at; null is live */ cursor: null,
    mine: true,
    /** whether it is everybody's, which nobody controls */ shared: false,
    /** @type {number | null} steps a second asked for; null is as fast as it goes */ speed: null,
    /** @type {Record<string, {step: number, layer: string}>} */ diverged: {},
    /** @type {number | null} step from which an ended run can go on */ resumes: null,
    /** @type {number | null} steps that it takes in all */ steps: null,
    /** @type {number | null} steps that its kept weights had taken, once it has ended */ weights: null,
    /** @type {string | null} why it is not being saved */ unsaved: null,
    /** @type {number | null} seconds that a step takes lately, as measured */ took: null,

    /** @param {string | null} id */
    reset(id) {
      Object.assign(this, {
        id, header: null, frames: [], passing: null, pictured: null, events: [], switches: [], edits: null, state: id ? "starting" : "ready", reason: null, ahead: null, wait: null, cursor: null, diverged: {}, resumes: null, steps: null, weights: null, unsaved: null, took: null, moved: [],
      });
    },
    /** @param {any} message  one message of the stream */
    take(message) {
      if (message.run !== this.id) return false;
      if (message.gone) {
        this.state = "failed";
        this.reason = "this run is no longer kept; press Restart";
        return true;
      }
      if (message.snapshot || message.steps) this.steps = message.steps ?? null;
      if (message.snapshot) {
        this.frames = [];
        this.events = [];
        this.switches = [];
        this.pictured = null;
      }
      if (message.header) this.header = message.header;
      if (message.switches) {
        const from = message.snapshot ? 0 : message.frames[0].step;
        this.switches = [...this.switches.filter(({ step }) => step < from), ...message.switches];
      }
      this.edits = message.edits ?? this.edits;
      for (const frame of message.frames || []) {
        this.passing = frame.passing ? frame : null;
        if (frame.passing && Object.values(frame.variants).some((one) => one.picture)) this.pictured = frame;
        if (frame.passing && this.frames.length) continue;
        // A frame of the same step as the last one (what an event did, measured at rest; a first one without a picture) is replaced by it.
        if (this.frames.at(-1)?.step === frame.step) {
          this.frames.pop();
          while (this.events.at(-1)?.step === frame.step) this.events.pop();
        }
        this.frames.push(frame);
        for (const event of frame.events || []) this.events.push({ step: frame.step, event });
      }
      if (message.state) {
        this.state = message.state;
        this.resumes = message.resumes ?? null;
        this.weights = message.weights ?? null;
        this.unsaved = message.unsaved ?? null;
        this.moved = message.moved ?? [];
      }
      this.reason = message.reason ?? (message.state ? null : this.reason);
      if (message.took) this.took = message.took;
      this.ahead = message.ahead ?? null;
      this.wait = message.wait ?? null;
      if (message.diverged) this.diverged = message.diverged;
      return true;
    },
    /** @returns {{step: number, event: any}[]} what was done to the run, and from where it went on on another machine */
    marks() {
      const moves = this.moved.map((/** @type {number} */ step) => ({ step, event: { kind: "moved" } }));
      return moves.length ? [...this.events, ...moves].sort((one, other) => one.step - other.step) : this.events;
    },
    /** @returns {Frame | null} the frame looked at */
    frame() {
      if (!this.frames.length) return null;
      if (this.cursor === null && this.passing) return this.passing;
      // A run that diverged ends with a frame without numbers: the one before it says more.
      const last = this.frames.at(-1);
      const empty = this.cursor === null && this.frames.length > 1 && Object.values(last.variants).every((one) => one.loss === undefined);
      if (empty) return this.frames[this.frames.length - 2];
      return this.frames[this.cursor === null ? this.frames.length - 1 : Math.min(this.cursor, this.frames.length - 1)];
    },
    /** @param {Frame} shown @returns {Frame | null} the last frame before the event that precedes the shown one */
    before(shown) {
      const event = this.events.filter((one) => one.step <= shown.step).at(-1);
      if (!event) return null;
      let found = null;
      for (const frame of this.frames) {
        if (frame.step >= event.step) break;
        found = frame;
      }
      return found;
    },
    /** Look at a step, or with null at the newest, which may be a frame that is not kept: a step before it shows the last kept one at most. @param {number | null} step */
    seek(step) {
      const last = this.frames.at(-1)?.step ?? 0;
      this.cursor = step === null || step >= Math.max(last, this.passing?.step ?? 0) ? null : this.indexAt(Math.min(step, last));
    },
    /** @param {Frame} shown @param {string} variant @param {string} field  @returns {any} the last frame up to the shown one that has the field */
    lastWith(shown, variant, field) {
      /** @param {Frame | null} frame */
      const has = (frame) => frame && frame.step <= shown.step && (frame.variants[variant]?.[field] ?? null) !== null;
      const kept = this.frames.findLast(has) ?? null;
      const seen = [this.passing, this.pictured].find(has);
      return seen && seen.step >= (kept?.step ?? 0) ? seen : kept;
    },
    /** @param {Frame} shown @param {string} variant @param {string} field  @returns {any} the field's latest value up to the shown frame */
    latest(shown, variant, field) {
      return this.lastWith(shown, variant, field)?.variants[variant][field] ?? null;
    },
    /**
     * How skips and layers stood at the shown frame, or stand now, as the server says: what it says nothing of was never switched.
     * @param {Frame | null} shown @param {string} variant
     * @returns {{skip: Map<string, any>, layer: Map<string, any>}}  on, strength and gain by id
     */
    switchesAt(shown, variant) {
      const then = { skip: new Map(), layer: new Map() };
      const own = this.switches.filter((one) => one.variant === variant);
      const done = own.filter(({ step }) => !shown || step <= shown.step);
      const found = own.slice(done.length).reverse();
      for (const [list, when] of [[found, "before"], [done, "after"]]) {
        for (const one of list) for (const id of one.ids) then[one.kind].set(id, { ...then[one.kind].get(id), ...one[when] });
      }
      return then;
    },
    /**
     * The baseline bars at the shown frame; a passing frame has none of its own and shows those before it.
     * @param {Frame | null} shown @param {string} variant
     */
    baseline(shown, variant) {
      const own = shown?.variants[variant];
      if (!own || own.ghost || !this.frames.length) return own ?? null;
      return Object.fromEntries(["ghost", "ghost_state", "ghost_branch"].map((field) => [field, this.latest(shown, variant, field)]));
    },
    /** @param {number} step @returns {number} index of the recorded frame nearest to `step` */
    indexAt(step) {
      let low = 0;
      let high = this.frames.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.frames[middle].step < step) low = middle + 1;
        else high = middle;
      }
      if (low > 0 && step - this.frames[low - 1].step < this.frames[low].step - step) return low - 1;
      return Math.max(0, low);
    },
    active() {
      return ["running", "paused", "queued", "starting"].includes(this.state);
    },
    /** Whether it can be sent anything: one that is being asked for has no name yet. */
    hears() {
      return this.active() && this.id !== "?";
    },
  };
}
