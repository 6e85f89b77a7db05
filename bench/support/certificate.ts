// The certificate of the servers under TLS, made by openssl when there is none yet. Nobody trusts it, and the generator asks
// for nothing better.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { inProject } from "./paths.ts";

/** Where servers/control.ts looks for it. */
const FOLDER = "out/bench/tls/";

/** Makes it. ECDSA with P-256, as most servers have it today. */
export async function makeCertificate(): Promise<void> {
  const folder = inProject(FOLDER);
  if (existsSync(`${folder}certificate.pem`)) return;
  await mkdir(folder, { recursive: true });
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=localhost";
  await promisify(execFile)("openssl", [
    ...words.split(" "),
    "-keyout",
    `${folder}key.pem`,
    "-out",
    `${folder}certificate.pem`,
  ]);
}
