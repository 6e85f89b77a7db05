// berkeley/testing: what tests of network programs stand on: checks, and a simulated network. Names only; nothing happens
// here.

export { checkByteStream } from "./byte-stream/index.ts";
export type { ByteStreamCheck, ByteStreamCheckOptions, StreamPair } from "./byte-stream/index.ts";
export { playTranscript } from "./transcript/play.ts";
export type { TranscriptOptions } from "./transcript/play.ts";
export { TranscriptError } from "./transcript/parser.ts";
export type { TranscriptSide } from "./transcript/parser.ts";
export { SimulationError, simulate } from "./simulation/simulate.ts";
export type { SimulationOptions } from "./simulation/simulate.ts";
export { SimulatedHost, SimulatedNetwork } from "./simulation/network.ts";
export type { LinkConditions } from "./simulation/path.ts";
export type { SeededRandom } from "./simulation/random.ts";
