// How much of the machine went to anything but the bench while a question was asked. Figures that were
// taken beside a busy neighbour look like any others; this tells them apart.
import { readFile } from "node:fs/promises";

interface Reading {
  readonly atMs: number;
  /** Processor seconds of everyone, the hypervisor's other guests included ("steal"). */
  readonly everyone: number;
  /** Processor seconds of this process and of its children that have ended. */
  readonly own: number;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the unit of /proc: 100 on every architecture Node runs on.

/**
 * Begin to watch. The returned function ends it; call it when every child has ended.
 *
 * @returns How many percent of one core others had meanwhile.
 */
export async function watchDisturbance(): Promise<() => Promise<number>> {
  const before = await read();
  return async () => {
    const after = await read();
    const others = after.everyone - before.everyone - (after.own - before.own);
    return Math.max(0, Math.round((others / ((after.atMs - before.atMs) / 1e3)) * 100));
  };
}

async function read(): Promise<Reading> {
  const [machine, self] = await Promise.all([
    readFile("/proc/stat", "utf8"),
    readFile("/proc/self/stat", "utf8"),
  ]);
  // proc(5): "cpu  user nice system idle iowait irq softirq steal …"
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (machine.split("\n")[0] ?? "")
    .split(/ +/)
    .slice(1)
    .map(Number);
  // Fields 14 to 17: utime stime cutime cstime; the name in field 2 may hold blanks, so count from its end.
  const own = self
    .slice(self.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map(Number);
  return {
    atMs: performance.now(),
    everyone: (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND,
    own: own.reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND,
  };
}
