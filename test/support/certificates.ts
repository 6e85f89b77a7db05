// Certificates for tests, made by openssl when a test asks for them: an authority, and what can be wrong with what it signs.
// They live in a folder that goes with the process. It knows no connection.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";

/** The program, and why tests that need it do not run. */
export const OPENSSL: Peer = requirePeer("openssl");

/** A certificate with its key, in memory and as files. */
export interface Made {
  /** PEM. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** All that there is. */
export interface Certificates {
  /** Signs the others. */
  readonly authority: Made;
  /** Signs nothing here. */
  readonly stranger: Made;
  /** Of a server: localhost, *.example.test, 127.0.0.1, ::1. */
  readonly server: Made;
  /** The same with another key. */
  readonly renewed: Made;
  /** Of a server other.test. */
  readonly other: Made;
  readonly client: Made;
  readonly expired: Made;
  readonly early: Made;
  readonly revoked: Made;
  readonly selfSigned: Made;
  /** The server's with its key under this passphrase. */
  readonly encrypted: Made & { readonly passphrase: string };
  /** Says that `revoked` is. */
  readonly crl: Buffer;
  /** The same, out of its time. */
  readonly oldCrl: Buffer;
  readonly path: (name: string) => string;
}

const CONFIG = `
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
[client]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
[self]
basicConstraints = CA:false
subjectAltName = DNS:localhost,IP:127.0.0.1
[req]
distinguished_name = name
prompt = no
[name]
commonName = nobody
`;
const NAMES = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1";
const PASSPHRASE = "open sesame";

let made: Certificates | undefined;

/** Makes them, once in a process. */
export function certificates(): Certificates {
  return (made ??= make());
}

/** Runs openssl in a folder; its words have no spaces. */
function run(folder: string, words: string): void {
  execFileSync(OPENSSL.path, words.split(" "), { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

function make(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-certificates-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const openssl = (words: string): void => run(folder, words);
  const read = (name: string): Made => ({
    certificate: readFileSync(path(`${name}.pem`)),
    key: readFileSync(path(`${name}.key`)),
    certificatePath: path(`${name}.pem`),
    keyPath: path(`${name}.key`),
  });
  const key = (name: string): void =>
    openssl(`genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${name}.key`);
  writeFileSync(path("openssl.cnf"), CONFIG);
  writeFileSync(path("index.txt"), "");
  writeFileSync(path("serial"), "1000\n");
  writeFileSync(path("crlnumber"), "1000\n");
  const itself = (name: string, extensions: string): Made => {
    key(name);
    openssl(
      `req -x509 -config openssl.cnf -key ${name}.key -subj /CN=${name} -days 30 -extensions ${extensions} -out ${name}.pem`,
    );
    return read(name);
  };
  const signed = (name: string, extensions: string, names: string, dates = ""): Made => {
    key(name);
    openssl(
      `req -new -config openssl.cnf -key ${name}.key -subj /CN=${name} -addext subjectAltName=${names} -out ${name}.csr`,
    );
    openssl(
      `ca -batch -notext -config openssl.cnf -cert authority.pem -keyfile authority.key -in ${name}.csr -out ${name}.pem ` +
        `-extensions ${extensions}${dates}`,
    );
    return read(name);
  };
  const ca = "ca -config openssl.cnf -cert authority.pem -keyfile authority.key";
  const authority = itself("authority", "authority");
  const stranger = itself("stranger", "authority");
  const selfSigned = itself("itself", "self");
  const server = signed("server", "server", NAMES);
  const renewed = signed("renewed", "server", NAMES);
  const other = signed("other", "server", "DNS:other.test");
  const client = signed("client", "client", "DNS:client.test");
  const expired = signed("expired", "server", NAMES, " -startdate 20200101000000Z -enddate 20210101000000Z");
  const early = signed("early", "server", NAMES, " -startdate 20480101000000Z -enddate 20490101000000Z");
  const revoked = signed("revoked", "server", NAMES);
  openssl(`${ca} -revoke revoked.pem`);
  openssl(`${ca} -gencrl -out list.crl`);
  openssl(`${ca} -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z -out old.crl`);
  execFileSync(
    OPENSSL.path,
    ["pkey", "-in", "server.key", "-aes256", "-passout", `pass:${PASSPHRASE}`, "-out", "encrypted.key"],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  return {
    authority,
    stranger,
    server,
    renewed,
    other,
    client,
    expired,
    early,
    revoked,
    selfSigned,
    encrypted: {
      ...server,
      key: readFileSync(path("encrypted.key")),
      keyPath: path("encrypted.key"),
      passphrase: PASSPHRASE,
    },
    crl: readFileSync(path("list.crl")),
    oldCrl: readFileSync(path("old.crl")),
    path,
  };
}

/** The DER of a certificate that is signed by itself, with such a key and such options of openssl-req(1). */
export function selfSignedDer(keyOptions: string, options: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-certificate-"));
  try {
    writeFileSync(join(folder, "openssl.cnf"), CONFIG);
    run(folder, `genpkey ${keyOptions} -out a.key`);
    run(folder, `req -x509 -config openssl.cnf -key a.key -days 30 -outform DER -out a.der${options}`);
    return readFileSync(join(folder, "a.der"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
