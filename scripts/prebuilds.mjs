// Puts the addon of this build where the published package has its binaries: prebuilds/<platform>-<arch>-<libc>/.
// Runs before packing. Binaries of other platforms that lie there already stay.

import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const libc =
  process.platform === "linux"
    ? [process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl"]
    : [];
const folder = join(root, "prebuilds", [process.platform, process.arch, ...libc].join("-"));
mkdirSync(folder, { recursive: true });
copyFileSync(join(root, "native/build/Release/berkeley.node"), join(folder, "berkeley.node"));
