/** The `transform` of `tests/guests/honest`, for the benchmark `languages`. */

import {
  boolean, date, decimal, defineRule, float64, int64, text, timestamp,
} from "../../../plugins/js/dvsync-rules/index.js";

const DAY_US = 86_400_000_000;

export default defineRule({
  entities: ["account"],

  transform: {
    needs: {
      reads: [
        text("name", { required: true }), int64("employees", { required: true }),
        float64("revenue"), timestamp("joined"), boolean("active"),
      ],
      writes: [
        text("name"), int64("numberofemployees"), decimal("revenue"), boolean("active"),
        date("since"),
      ],
    },

    apply(rows, output) {
      output.set("name", rows.text("name").map((name) => name && name.toUpperCase()));
      const counts = rows.integer("employees");
      output.set("numberofemployees", counts.map((count) => (count === null ? null : count + 1)));
      const money = (value) => ({ unscaled: BigInt(Math.trunc(value * 10_000)), scale: 4 });
      output.set("revenue", rows.float64("revenue").map((value) => (value === null ? null : money(value))));
      output.set("active", rows.boolean("active"));
      const day = (instant) => Math.floor(Number(instant) / DAY_US);
      output.set("since", rows.timestamp("joined").map((joined) => (joined === null ? null : day(joined))));
    },
  },
});
