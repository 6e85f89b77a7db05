// berkeley/testing: what tests of network programs stand on: checks, and a simulated network. Names only; nothing happens
// here.

export { checkByteStream } from "./byte-stream/index.ts";
export type { ByteStreamCheck, ByteStreamCheckOptions, StreamPair } from "./byte-stream/index.ts";
export { SimulationError, simulate } from "./simulation/simulate.ts";
export type { SimulationOptions } from "./simulation/simulate.ts";
export { SimulatedHost, SimulatedNetwork } from "./simulation/network.ts";
export type { LinkConditions } from "./simulation/path.ts";
export type { SeededRandom } from "./simulation/random.ts";
