/** Doubles `n`, and misbehaves as the setting `mode` says where it is 13. */

import { defineRule, int64, internal, log, text } from "../../../plugins/js/dvsync-rules/index.js";

const MISDEEDS = {
  none() {},
  exception() {
    null.thirteen();
  },
  loop() {
    for (;;);
  },
  allocate() {
    const kept = [];
    for (;;) kept.push(new Uint8Array(1 << 29).fill(1));
  },
  recurse(output, rows) {
    return MISDEEDS.recurse(output, rows) + 1;
  },
  short(output, rows) {
    output.set("text", new Array(rows + 1).fill("x"));
  },
  type(output, rows) {
    output.set("text", new Array(rows).fill(13));
  },
  undeclared(output, rows) {
    output.set("wages", new Array(rows).fill(13));
  },
  surrogate(output, rows) {
    output.set("text", new Array(rows).fill("\ud800"));
  },
  fetch() {
    fetch("http://127.0.0.1:1/");
  },
  promise() {
    return setTimeout(() => {}, 1000);
  },
  internal() {
    throw internal("bug", "13 is at fault");
  },
  "log-flood"() {
    for (let line = 0; line < 10_000; line++) log.info(`line ${line}`);
  },
};

export default defineRule({
  entities: ["account"],

  configure(context) {
    const settings = context.settings();
    const mode = settings.text("mode", "none");
    settings.finish();
    if (mode === "configure") throw new TypeError("no such thing");
    return mode;
  },

  transform: {
    needs: { reads: [int64("n", { required: true })], writes: [int64("twice"), text("text")] },

    apply(rows, output, mode) {
      const numbers = rows.int64("n");
      if (numbers.includes(13n)) MISDEEDS[mode](output, rows.length);
      output.set("twice", numbers.map((n) => (n === null ? null : 2n * n)));
    },
  },
});
