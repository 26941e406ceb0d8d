import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameWalker, PayloadReader } from "./copy-frames.ts";

type Message = { readonly type: string; readonly body: Buffer };

function encode({ type, body }: Message): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, "latin1");
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** What a walker makes of these chunks: the forwarded bytes and the other messages, in order. */
function walk(chunks: readonly Buffer[]) {
  const seen: (Buffer | Message)[] = [];
  const walker = new FrameWalker({
    data: (bytes) => {
      const last = seen.at(-1);
      if (Buffer.isBuffer(last)) seen[seen.length - 1] = Buffer.concat([last, bytes]);
      else seen.push(Buffer.from(bytes));
    },
    message: (type, bytes) => seen.push({ type, body: bytes.subarray(5) }),
  });
  for (const chunk of chunks) walker.walk(chunk);
  return { seen, walker };
}

const message = fc.record({
  type: fc.constantFrom("d", "d", "d", "c", "N", "S", "E", "C", "Z"),
  body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

test("however the network cuts the stream, CopyData passes verbatim and other messages come whole", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (messages, sizes) => {
      const stream = Buffer.concat(messages.map(encode));
      const chunks: Buffer[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        chunks.push(stream.subarray(at, (at += size)));
      }
      const expected: (Buffer | Message)[] = [];
      for (const each of messages) {
        const last = expected.at(-1);
        if (each.type !== "d") expected.push(each);
        else if (Buffer.isBuffer(last)) expected[expected.length - 1] = Buffer.concat([last, encode(each)]);
        else expected.push(encode(each));
      }
      const { seen, walker } = walk(chunks);
      expect(seen).toEqual(expected);
      expect(walker.remaining).toBe(0);
      expect(walker.rest).toHaveLength(0);
      expect(walker.payload).toBe(messages.filter(({ type }) => type === "d").reduce((sum, { body }) => sum + body.length, 0));
    }),
  );
});

test("it knows what is owed of a message, and what of another has come", () => {
  const row = encode({ type: "d", body: Buffer.alloc(100) });
  const { seen, walker } = walk([row.subarray(0, 3)]);
  expect(seen).toEqual([]);
  expect([walker.remaining, walker.rest.length]).toEqual([0, 3]);
  walker.walk(row.subarray(3, 50));
  expect(walker.remaining).toBe(55);
  expect(walker.payload).toBe(45);
  walker.walk(Buffer.concat([row.subarray(50), encode({ type: "N", body: Buffer.alloc(9) }).subarray(0, 7)]));
  expect([walker.remaining, walker.rest.length]).toEqual([0, 7]);
});

test("a length that cannot be is refused", () => {
  const broken = Buffer.from([0x64, 0, 0, 0, 3]);
  expect(() => walk([broken])).toThrow(/length/);
  expect(() => walk([Buffer.from([0x43]), Buffer.from([0, 0, 0, 3])])).toThrow(/length/);
});

test("a whole chunk of CopyData is handed on as it is, without copying", () => {
  const chunk = Buffer.concat([encode({ type: "d", body: Buffer.alloc(10) }), encode({ type: "d", body: Buffer.alloc(20) })]);
  const handed: Buffer[] = [];
  new FrameWalker({ data: (bytes) => handed.push(bytes), message: () => undefined }).walk(chunk);
  expect(handed).toHaveLength(1);
  expect(handed[0]).toBe(chunk);
});

test("however CopyData is cut, what is in it comes out without the headers", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), fc.integer({ min: 1, max: 30 }), (bodies, size) => {
      const stream = Buffer.concat(bodies.map((body) => encode({ type: "d", body: Buffer.from(body) })));
      const reader = new PayloadReader();
      const parts: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) parts.push(...reader.read(stream.subarray(at, at + size)));
      expect(Buffer.concat(parts)).toEqual(Buffer.concat(bodies));
    }),
  );
});
