import { createServer as createHttp, type IncomingHttpHeaders } from "node:http";
import { createServer as createNet, type AddressInfo, type Server, type Socket } from "node:net";

export type Post = { readonly headers: IncomingHttpHeaders; readonly body: string };

/** Takes every POST and answers with the status that is next in `answers`, else 200. */
export async function httpSink(answers: number[] = []): Promise<AsyncDisposable & { readonly url: string; readonly posts: Post[] }> {
  const posts: Post[] = [];
  const server = createHttp((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      posts.push({ headers: request.headers, body });
      response.writeHead(answers.shift() ?? 200).end("ok");
    });
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await closed(server);
    },
  };
}

export type Letter = { readonly from: string; readonly to: string[]; readonly data: string };

/** A mail server that takes everything and keeps it. */
export async function smtpSink(): Promise<AsyncDisposable & { readonly port: number; readonly letters: Letter[] }> {
  const letters: Letter[] = [];
  const sockets = new Set<Socket>();
  const server = createNet((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => undefined);
    serve(socket, letters);
  });
  await listening(server);
  return {
    port: (server.address() as AddressInfo).port,
    letters,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

function serve(socket: Socket, letters: Letter[]): void {
  let buffered = "";
  let letter: { from: string; to: string[]; data: string } = { from: "", to: [], data: "" };
  let inData = false;
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  const take = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase();
    if (inData) {
      if (line !== ".") letter.data += `${line.replace(/^\./, "")}\n`;
      else {
        inData = false;
        letters.push(letter);
        letter = { from: "", to: [], data: "" };
        say("250 taken");
      }
    } else if (verb === "EHLO" || verb === "HELO") say("250 sink");
    else if (verb === "MAIL") {
      letter.from = /<(.*)>/.exec(line)?.[1] ?? "";
      say("250 ok");
    } else if (verb === "RCPT") {
      letter.to.push(/<(.*)>/.exec(line)?.[1] ?? "");
      say("250 ok");
    } else if (verb === "DATA") {
      inData = true;
      say("354 go on");
    } else if (verb === "QUIT") {
      say("221 bye");
      socket.end();
    } else say("250 ok");
  };
  say("220 sink");
  socket.setEncoding("utf8").on("data", (text: string) => {
    buffered += text;
    for (let end = buffered.indexOf("\r\n"); end >= 0; end = buffered.indexOf("\r\n")) {
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 2);
      take(line);
    }
  });
}

function listening(server: Pick<Server, "listen">): Promise<void> {
  return new Promise((resolve) => void server.listen(0, "127.0.0.1", resolve));
}

function closed(server: Pick<Server, "close">): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
