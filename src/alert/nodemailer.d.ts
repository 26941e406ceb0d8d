/** What we use of nodemailer; its types are a package of their own that brings far more than itself. */
declare module "nodemailer" {
  type Options = {
    readonly host?: string;
    readonly port?: number;
    readonly secure?: boolean;
    readonly ignoreTLS?: boolean;
    readonly requireTLS?: boolean;
    readonly auth?: { readonly user: string; readonly pass: string };
    readonly connectionTimeout?: number;
    readonly greetingTimeout?: number;
    readonly socketTimeout?: number;
    readonly sendmail?: boolean;
    readonly path?: string;
    readonly newline?: "unix" | "windows";
    readonly disableFileAccess?: boolean;
    readonly disableUrlAccess?: boolean;
  };
  type Mail = {
    readonly from: string;
    readonly to: string;
    readonly subject: string;
    readonly text: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  export function createTransport(options: Options): { sendMail(mail: Mail): Promise<unknown>; close(): void };
}
