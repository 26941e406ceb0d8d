import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";

/** PEM texts. */
export type Certificate = { readonly certificate: string; readonly key: string };

export type Authority = Certificate & {
  /** Signs a certificate for a server (`hosts`: names and IPv4 addresses it is valid for) or a client (`commonName`: its role). */
  issue(of: { commonName: string; hosts?: readonly string[] }): Certificate;
};

/** A certificate authority for TLS tests, made by hand because Node can read X.509 but not write it. */
export function createAuthority(commonName = "test authority"): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const constraints = extension("551d13", true, sequence(Buffer.from("0101ff", "hex")));
  const certificate = signed({
    subject: commonName,
    issuer: commonName,
    publicKey: own.publicKey,
    signer: own.privateKey,
    extensions: [constraints],
  });
  return {
    certificate,
    key: pem(own.privateKey),
    issue({ commonName: subject, hosts = [] }) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const names = hosts.map((host) =>
        isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host)),
      );
      const extensions = names.length > 0 ? [extension("551d11", false, sequence(...names))] : [];
      return {
        certificate: signed({ subject, issuer: commonName, publicKey, signer: own.privateKey, extensions }),
        key: pem(privateKey),
      };
    },
  };
}

const day = 86_400_000;
const ecdsaWithSha256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));

function signed(of: { subject: string; issuer: string; publicKey: KeyObject; signer: KeyObject; extensions: Buffer[] }): string {
  const version = der(0xa0, Buffer.from("020102", "hex"));
  const serial = der(0x02, Buffer.concat([Buffer.from([0x40]), randomBytes(8)]));
  const validity = sequence(time(Date.now() - day), time(Date.now() + 365 * day));
  const publicKey = of.publicKey.export({ type: "spki", format: "der" });
  const extensions = of.extensions.length > 0 ? [der(0xa3, sequence(...of.extensions))] : [];
  const body = sequence(version, serial, ecdsaWithSha256, name(of.issuer), validity, name(of.subject), publicKey, ...extensions);
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", body, of.signer)]));
  const text = sequence(body, ecdsaWithSha256, signature).toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from(commonName)))));
}

function time(at: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(at).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`));
}

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  return sequence(der(0x06, Buffer.from(oid, "hex")), ...(critical ? [Buffer.from("0101ff", "hex")] : []), der(0x04, value));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** Tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
