/** Rules for accounts: names are tidied, and an account needs one. */

import { defineRule, text, tidy } from "../sdk/index.js";

/** The rule; its name and version stand in `package.json`. */
export default defineRule({
  entities: ["account"],

  transform: {
    needs: { reads: [text("name", { required: true })], writes: [text("name")] },

    apply(rows, output) {
      const names = rows.text("name").map(tidy);
      names.forEach((name, row) => {
        if (name === null) output.reject(row, "no-name", "name", "the account has no name");
      });
      output.set("name", names);
    },
  },
});
