"""Doubles `n`, and misbehaves as the setting `mode` says where it is 13."""

from dvsync_rules import Context, Output, Rows, Rule, int64, internal, log, text, transform


class Hostile(Rule):
    entities = ["account"]

    def configure(self, context: Context) -> None:
        settings = context.settings()
        self.mode = settings.text("mode", "none")
        settings.finish()
        if self.mode == "configure":
            raise KeyError("no such thing")

    @transform(reads=[int64("n", required=True)], writes=[int64("twice"), text("text")])
    def apply(self, rows: Rows, output: Output) -> None:
        numbers = rows.int64("n")
        if 13 in numbers:
            self.misbehave(output, len(rows))
        output.set("twice", [None if n is None else 2 * n for n in numbers])

    def misbehave(self, output: Output, rows: int) -> None:
        match self.mode:
            case "exception":
                int("thirteen")
            case "loop":
                while True:
                    pass
            case "allocate":
                kept = []
                while True:
                    kept.append(bytearray(1 << 29))
            case "recurse":
                self.misbehave(output, rows)
            case "exit":
                raise SystemExit(3)
            case "short":
                output.set("text", ["x"] * (rows + 1))
            case "type":
                output.set("text", [13] * rows)
            case "undeclared":
                output.set("wages", [13] * rows)
            case "surrogate":
                output.set("text", ["\ud800"] * rows)
            case "open":
                open("/etc/passwd").read()
            case "internal":
                raise internal("bug", "13 is at fault")
            case "log-flood":
                for line in range(10_000):
                    log.info(f"line {line}")
