import { readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import { isIP } from "node:net";
import { connect as tlsConnect, type ConnectionOptions, type SecureVersion, type TLSSocket } from "node:tls";
import { BucardoError } from "../model/error.ts";
import type { Parameters } from "./parameters.ts";

/** What libpq's ssl words mean to Node's TLS. Reads the certificate files. */
export function tlsOptions({ sslmode, ssl, host }: Parameters, db: string): ConnectionOptions {
  const { sslrootcert, sslcert, sslkey, sslpassword, sslcrl, sslsni } = ssl;
  const read = (word: string, path: string) => readCertificate(word, path, db);
  const verifies = sslmode === "verify-ca" || sslmode === "verify-full";
  if (verifies && !sslrootcert) {
    throw new BucardoError("bad-value", `database "${db}": sslmode=${sslmode} needs a root certificate`, {
      db,
      advice: "Give sslrootcert=FILE (or sslrootcert=system), or put it into ~/.postgresql/root.crt.",
    });
  }
  const options: ConnectionOptions = {
    host,
    // As libpq: a root certificate that exists is used in every mode; without one there is nothing to verify against.
    rejectUnauthorized: verifies || sslrootcert !== undefined,
  };
  if (isIP(host) === 0 && sslsni !== "0") options.servername = host;
  if (sslmode !== "verify-full") options.checkServerIdentity = () => undefined;
  if (sslrootcert && sslrootcert !== "system") options.ca = read("sslrootcert", sslrootcert);
  if (sslcrl) options.crl = read("sslcrl", sslcrl);
  if (Boolean(sslcert) !== Boolean(sslkey)) {
    throw new BucardoError(
      "bad-value",
      `database "${db}": sslcert and sslkey belong together; ${sslcert ? "sslkey" : "sslcert"} is missing`,
      { db },
    );
  }
  if (sslcert && sslkey) {
    options.cert = read("sslcert", sslcert);
    options.key = read("sslkey", sslkey);
    checkPrivate(sslkey, db);
  }
  if (sslpassword !== undefined) options.passphrase = sslpassword;
  if (ssl["ssl_min_protocol_version"]) options.minVersion = ssl["ssl_min_protocol_version"] as SecureVersion;
  if (ssl["ssl_max_protocol_version"]) options.maxVersion = ssl["ssl_max_protocol_version"] as SecureVersion;
  return options;
}

/** Does the handshake on a socket whose server has said yes to TLS. */
export function secure(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = tlsConnect({ ...options, socket });
    const fail = (error: Error) => {
      tls.destroy();
      reject(error);
    };
    tls.once("error", fail);
    tls.once("close", () => fail(new Error("the server closed the connection during the TLS handshake")));
    tls.once("secureConnect", () => {
      tls.removeListener("error", fail);
      tls.removeAllListeners("close");
      resolve(tls);
    });
  });
}

function readCertificate(word: string, path: string, db: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BucardoError("bad-value", `database "${db}": ${word}: cannot read ${path}`, {
      db,
      cause,
      advice: "Check the path and who may read the file.",
    });
  }
}

/** As libpq: nobody else may read the key; root's may be readable for a group. */
function checkPrivate(path: string, db: string): void {
  const { mode, uid } = statSync(path);
  if ((mode & (uid === 0 && process.getuid?.() !== 0 ? 0o027 : 0o077)) === 0) return;
  throw new BucardoError("bad-value", `database "${db}": sslkey ${path} may be read by others`, { db, advice: `chmod 600 ${path}` });
}
